/* SPDX-License-Identifier: MIT */
/* Runs beside each other. */
#ifndef DL_CMD_COMPARE_H
#define DL_CMD_COMPARE_H

#include "cmd/train_arguments.h"

/* --compare: what differs between the runs, and what each has come to, on stdout: a table, or with
   --json or --csv for programs. 0, or -1 and an error. */
int compare_runs(const train_arguments *arguments, dl_error *error);
/* --status: a line on stdout for each run. 0 if all are finished, 1 if some are not, -1 and an
   error. */
int compare_status(const train_arguments *arguments, dl_error *error);

#endif
