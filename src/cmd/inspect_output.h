/* SPDX-License-Identifier: MIT */
/* Output of checks and diagnoses, as lines that fit the screen or as JSON. */
#ifndef DL_CMD_INSPECT_OUTPUT_H
#define DL_CMD_INSPECT_OUTPUT_H

#include "inspect/data_check.h"
#include "inspect/diagnose.h"

void inspect_print_findings(const dl_findings *findings, bool json);
/* The line of one check, and the JSON of all. */
void inspect_print_checked(const dl_checked *checked);
void inspect_print_checkup(const dl_checkup *checkup);
/* The range test: its curve and the suggested rate. */
void inspect_print_rates(const dl_checkup *checkup, bool json);
void inspect_print_diagnosis(int64_t epochs, const dl_diagnosis *diagnoses, int count, bool json);

#endif
