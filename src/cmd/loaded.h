/* SPDX-License-Identifier: MIT */
/* A trained net and the data of its checkpoint. */
#ifndef DL_CMD_LOADED_H
#define DL_CMD_LOADED_H

#include "cmd/arguments.h"
#include "run/checkpoint.h"
#include "train/experiment.h"

typedef struct {
    dl_checkpoint checkpoint;
    dl_experiment experiment;
    char *path; /* of the checkpoint */
} loaded;

extern const char *const loaded_split_names[]; /* ends with NULL */
enum { LOADED_ANY_SPLIT = -1 };
#define LOADED_SPLIT_ROW(owner, field, needs_)                                                     \
    ARG_WORD_ROW("split", owner, field, loaded_split_names, "NAME",                                \
                 "part of the data (default: the first that exists of test, validation, train)",   \
                 .needs = needs_)
#define LOADED_LAST_ROW(owner, field)                                                              \
    ARG_FLAG_ROW("last", owner, field, "of a run: use last.safetensors instead of best.safetensors")
/* The value of --split, or LOADED_ANY_SPLIT. */
int loaded_wanted_split(const arg_common *common, int split);

/* Opens a checkpoint, or that of a run's folder (`last`: last.safetensors, not best.safetensors),
   and reads its config, overridden by --set. Close it also after an error. */
int loaded_open(loaded *l, const char *path, bool last, const arg_common *common, dl_error *error);
/* Opens a part of the data; LOADED_ANY_SPLIT: the first that exists of test, validation, train. */
int loaded_open_split(loaded *l, int wanted, dl_split *split, dl_error *error);
/* Builds the net for batches of at most that size, and loads its weights. */
int loaded_build(loaded *l, dl_split split, int64_t batch, dl_error *error);
/* Builds the net for batches of that size, with its weights; no data are opened. */
int loaded_build_alone(loaded *l, int64_t batch, dl_error *error);
/* Builds a language model for one sample at a time; its data are not opened. */
int loaded_build_text(loaded *l, dl_error *error);
void loaded_close(loaded *l);

#endif
