/* SPDX-License-Identifier: MIT */
/* A trained net, with the data that its checkpoint describes. */
#ifndef DL_CMD_LOADED_H
#define DL_CMD_LOADED_H

#include "cmd/arguments.h"
#include "model/model.h"
#include "run/checkpoint.h"

typedef struct {
    dl_checkpoint checkpoint;
    dl_model model;
    char *path; /* of the checkpoint */
} loaded;

extern const char *const loaded_split_names[]; /* for --split; ends with NULL */
enum { LOADED_ANY_SPLIT = -1 };

/* Opens the checkpoint of a run's folder (`last`: last.safetensors, not best.safetensors), or the
   file itself, and reads its config with what --set says. loaded_close is fine after an error. */
int loaded_open(loaded *l, const char *path, bool last, const arg_common *common, dl_error *error);
/* Opens a part of the data; with LOADED_ANY_SPLIT the first there is of test, validation, train.
 */
int loaded_open_split(loaded *l, int wanted, dl_split *split, dl_error *error);
/* Builds the net for batches of that size, but not for more rows than the part has, and loads its
   weights. */
int loaded_build(loaded *l, dl_split split, int64_t batch, dl_error *error);
/* Builds a language model for one sample at a time; its data are not opened. */
int loaded_build_text(loaded *l, dl_error *error);
void loaded_close(loaded *l);

#endif
