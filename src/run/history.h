/* SPDX-License-Identifier: MIT */
/* Reading history.csv, a row an epoch, as dl_run_add_row has written it. */
#ifndef DL_RUN_HISTORY_H
#define DL_RUN_HISTORY_H

#include "base/error.h"

typedef struct {
    int columns;
    int64_t rows;
    char **name;   /* [columns], owned */
    double *value; /* [columns][rows], owned */
} dl_history;

/* All zero before. 0, or -1 and an error of DL_DATA with the line; dl_history_free is fine after
   either. A line that a run that was killed left half-written at the end is passed over. */
int dl_history_read(dl_history *history, const char *path, dl_error *error);
/* The column's value[rows], borrowed; NULL: there is none of that name. */
const double *dl_history_column(const dl_history *history, const char *name);
void dl_history_free(dl_history *history);

#endif
