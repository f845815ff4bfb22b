/* SPDX-License-Identifier: MIT */
/* Comparison of runs. */
#ifndef DL_CMD_COMPARE_H
#define DL_CMD_COMPARE_H

#include "cmd/arguments.h"
#include "train/stop.h"

typedef struct {
    arg_common common;
    dl_stop stop;      /* later epochs are ignored */
    const char *rank;  /* column of the history to sort by, or NULL */
    const char *space; /* config whose searched values are shown; NULL: values that differ */
    bool csv;
    const char *html; /* page to write instead of printing; or NULL */
} compare_arguments;

/* dlinspect compare: prints a table, JSON or CSV of the runs' differences and results. 0, or -1 and
   an error. */
int compare_runs(const compare_arguments *arguments, dl_error *error);
/* dlinspect status: prints one line per run. 0 if all are finished, DL_CHECK if not, -1 and an
   error. */
int compare_status(const compare_arguments *arguments, dl_error *error);

#endif
