/* SPDX-License-Identifier: MIT */
/* Configs, and search spaces: configs with searched values. */
#ifndef DL_CMD_SEARCH_H
#define DL_CMD_SEARCH_H

#include "cmd/arguments.h"
#include "config/space.h"
#include "train/stop.h"

/* How values are chosen from a search space; SEARCH_NONE: the config must not be one. */
typedef enum { SEARCH_NONE, SEARCH_SAMPLE, SEARCH_POINT } search_how;

/* The config of a command line, and the choice of values if it is a search space. */
typedef struct {
    const char *path;
    const arg_common *common; /* for --set */
    search_how how;
    int64_t number; /* of the sample, or of the point, from 1 */
} search_config;

/* The options that override keys of the config. */
#define SEARCH_CONFIG_ROWS                                                                         \
    ARG_SET_ROW, ARG_KEY_ROW("seed", "seed", 9e15, "the same as --set seed=N"),                    \
        ARG_KEY_ROW("epochs", "training.epochs", 1e9, "the same as --set training.epochs=N"),      \
        ARG_CUSTOM_ROW("fold", search_read_fold, "I/K",                                            \
                       "cross-validation: validate on fold I of K of the training file; the same " \
                       "as --set data.fold=I --set data.folds=K")
bool search_read_fold(const char *text, void *arguments, dl_text *message);

/* Reads the config, overridden by --set. A search space is checked and resolved by `how` and
   `number`. */
int search_load(const search_config *from, dl_config *config, dl_error *error);
/* Sets the default of `name`: the file's name. */
void search_name_config(dl_config *config, const char *path);
/* Reads it without resolving a search space. */
int search_load_space(const search_config *from, dl_config *config, dl_error *error);
/* Parses --stop-after N or 1/N; see arg_reader. */
bool search_read_stop(const char *text, dl_stop *stop, dl_text *message);
/* Prints the config with every default. */
void search_print_config(const search_config *from, const dl_config *config);
/* Prints the searched values and the number of points of the grid. */
int search_print_space(const search_config *from, bool json, dl_error *error);

#endif
