/* SPDX-License-Identifier: MIT */
/* Reads history.csv: one row per epoch. */
#ifndef DL_RUN_HISTORY_H
#define DL_RUN_HISTORY_H

#include "base/error.h"

typedef struct {
    int columns;
    int64_t rows;
    char **name;   /* [columns], owned */
    double *value; /* [columns][rows], owned */
} dl_history;

/* `history` is all zero. 0, or -1 and an error of DL_DATA with the line; call dl_history_free after
   either. An incomplete last line, left by a run that was killed, is ignored. */
int dl_history_read(dl_history *history, const char *path, dl_error *error);
/* The end of a line of so many numbers, after its newline; NULL: it is no such line. */
const char *dl_history_row_end(const char *line, int columns);
/* The column's value[rows], borrowed; NULL: no such column. */
const double *dl_history_column(const dl_history *history, const char *name);
void dl_history_free(dl_history *history);

#endif
