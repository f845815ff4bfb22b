/* SPDX-License-Identifier: MIT */
/* What dltrain was called with. */
#ifndef DL_CMD_TRAIN_ARGUMENTS_H
#define DL_CMD_TRAIN_ARGUMENTS_H

#include "train/trainer.h"

enum { MOST_SETS = 256 };

typedef struct {
    dl_train_options train;
    const char *program; /* as it was called */
    const char *config;
    const char *diagnose; /* a run whose history is told in words; NULL: train */
    const char *show;     /* the file for the picture of a batch; NULL: train */
    const char *sets[MOST_SETS];
    int set_count;
    int64_t threads;
    int64_t sample;    /* which draw from a space; -1: none */
    int64_t point;     /* which point of its grid, from 1; 0: none */
    const char *space; /* the config whose searched values are shown; NULL: none */
    const char *rank;  /* the column of the history that compared runs are ordered by, or NULL */
    char **runs;       /* [run_count], for `compare` and `status` */
    int run_count;
    bool compare, status, csv, print_config;
    bool fold, quiet, json, check_data, check, find_rate;
} train_arguments;

/* Reads them, and answers --help and --version. -1 to go on, or the exit status. */
int train_arguments_parse(int argc, char **argv, train_arguments *arguments);

#endif
