/* SPDX-License-Identifier: MIT */
/* What dlinspect prints of checks and diagnoses, for people (in lines as wide as the screen, if
   stdout is one) and as JSON. */
#ifndef DL_CMD_INSPECT_OUTPUT_H
#define DL_CMD_INSPECT_OUTPUT_H

#include "inspect/data_check.h"
#include "inspect/diagnose.h"

void inspect_print_findings(const dl_findings *findings, bool json);
/* A check's line, as soon as it is known; and the JSON of all. */
void inspect_print_checked(const dl_checked *checked);
void inspect_print_checkup(const dl_checkup *checkup);
/* The range test: a curve and a rate. */
void inspect_print_rates(const dl_checkup *checkup, bool json);
void inspect_print_diagnosis(int64_t epochs, const dl_diagnosis *diagnoses, int count, bool json);

#endif
