/* SPDX-License-Identifier: MIT */
/* Configs with searched values. */
#ifndef DL_CMD_SEARCH_H
#define DL_CMD_SEARCH_H

#include "cmd/arguments.h"
#include "config/space.h"
#include "train/stop.h"

/* The config of a command line: its file, and which values of its space. */
typedef struct {
    const char *path;
    const arg_common *common; /* for --set */
    const char *how;          /* "sample" or "point"; NULL: it must search nothing */
    int64_t number;           /* of the sample, or of the point from 1 */
} search_config;

/* The options that override keys of the config. */
#define SEARCH_CONFIG_ROWS                                                                         \
    ARG_SET_ROW, ARG_KEY_ROW("seed", "seed", 9e15, "the same as --set seed=N"),                    \
        ARG_KEY_ROW("epochs", "training.epochs", 1e9, "the same as --set training.epochs=N"),      \
        ARG_CUSTOM_ROW("fold", search_read_fold, "I/K",                                            \
                       "cross-validation: validate on fold I of K of the training file; the same " \
                       "as --set data.fold=I --set data.folds=K")
bool search_read_fold(const char *text, void *arguments, dl_text *message);

/* Reads the config, with what --set says; a config that searches values becomes the one that `how`
   and `number` say, after a check of all its values. */
int search_load(const search_config *from, dl_config *config, dl_error *error);
/* The same, with its searched values as they stand. */
int search_load_space(const search_config *from, dl_config *config, dl_error *error);
/* --stop-after N, or 1/N; for an arg_reader. */
bool search_read_stop(const char *text, dl_stop *stop, dl_text *message);
/* --print-config: on stdout, with every default. */
void search_print_config(const search_config *from, const dl_config *config);
/* dlinspect space: what is searched, and the number of points of the grid. */
int search_print_space(const search_config *from, bool json, dl_error *error);

#endif
