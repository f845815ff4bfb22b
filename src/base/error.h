/* SPDX-License-Identifier: MIT */
/* User errors: collected where they happen, printed only by cmd/. */
#ifndef DL_BASE_ERROR_H
#define DL_BASE_ERROR_H

#include "base/text.h"

/* The exit status of the program. */
typedef enum {
    DL_OK = 0,
    DL_FAILURE = 1,  /* run time: cannot write, cannot start a thread */
    DL_USAGE = 2,    /* the command line or the config */
    DL_DATA = 3,     /* a data set or a checkpoint */
    DL_DIVERGED = 4, /* a loss or weight is not finite */
    DL_CHECK = 5     /* a requested check failed */
} dl_code;

/* All zero is a valid "no error". */
typedef struct {
    dl_code code; /* of the first error */
    int count;    /* of messages */
    dl_text text; /* one message per line, no final newline */
} dl_error;

/* Adds a message, without a newline; control characters, as of a file's name, become "?".
   Returns -1. */
int dl_fail(dl_error *error, dl_code code, const char *format, ...) DL_PRINTF(3, 4);
/* Sorts messages that begin with "file:line:" by line within each file. */
void dl_error_sort(dl_error *error);
void dl_error_clear(dl_error *error);

#endif
