/* SPDX-License-Identifier: MIT */
/* Runs beside each other. */
#ifndef DL_CMD_COMPARE_H
#define DL_CMD_COMPARE_H

#include "cmd/arguments.h"
#include "train/stop.h"

typedef struct {
    arg_common common;
    dl_stop stop;      /* consider no epochs after it */
    const char *rank;  /* the column of the history that orders the runs, or NULL */
    const char *space; /* the config whose searched values are shown, or NULL: what differs */
    bool csv;
} compare_arguments;

/* dlinspect compare: what differs between the runs and their results, on stdout: a table, JSON or
   CSV. 0, or -1 and an error. */
int compare_runs(const compare_arguments *arguments, dl_error *error);
/* dlinspect status: a line on stdout for each run. 0 if all are finished, DL_CHECK if some are not,
   -1 and an error. */
int compare_status(const compare_arguments *arguments, dl_error *error);

#endif
