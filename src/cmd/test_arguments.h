/* SPDX-License-Identifier: MIT */
/* What dltest was called with. */
#ifndef DL_CMD_TEST_ARGUMENTS_H
#define DL_CMD_TEST_ARGUMENTS_H

#include "model/generate.h"

enum { TEST_MOST_SETS = 256 };

typedef struct {
    const char *const *paths; /* [path_count] */
    int path_count;
    bool average, vote;
    const char *sets[TEST_MOST_SETS];
    int set_count, split; /* -1: not chosen */
    bool last, json;
    const char *pictures;         /* the file for them; NULL: none */
    const char *report;           /* the file of the page, or NULL */
    int64_t threads, speed, seed; /* speed: the batch to be timed; 0: none */
    dl_write_options write;       /* count 0: nothing is to be written */
    const char *of_write;         /* an option that only writing has, and that was given */
} test_arguments;

/* Reads them, and answers --help and --version. -1 to go on, or the exit status. */
int test_arguments_parse(int argc, char **argv, test_arguments *arguments);

#endif
