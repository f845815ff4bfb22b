/* SPDX-License-Identifier: MIT */
/* Errors that are a user's to mend: collected where they happen, printed by cmd/ alone. */
#ifndef DL_BASE_ERROR_H
#define DL_BASE_ERROR_H

#include "base/text.h"

/* What went wrong; the value is the program's exit status. */
typedef enum {
    DL_OK = 0,
    DL_FAILURE = 1,  /* run time: cannot write, cannot start a thread */
    DL_USAGE = 2,    /* the command line or the config */
    DL_DATA = 3,     /* a data set or a checkpoint */
    DL_DIVERGED = 4, /* a loss or a weight is not finite */
    DL_CHECK = 5     /* a check that the user asked for failed */
} dl_code;

/* All zero is a valid "no error". */
typedef struct {
    dl_code code; /* of the first error */
    int count;    /* how many lines `text` has */
    dl_text text; /* one message a line, no final newline */
} dl_error;

/* Adds one message (no newline at its end). Always returns -1, so that `return dl_fail(…)` works.
 */
int dl_fail(dl_error *error, dl_code code, const char *format, ...) DL_PRINTF(3, 4);
/* Brings messages that begin with "file:line:" of one file into the order of its lines. */
void dl_error_sort(dl_error *error);
void dl_error_clear(dl_error *error);

#endif
