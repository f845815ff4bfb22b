/* SPDX-License-Identifier: MIT */
/* Event files for TensorBoard, in the run's folder: `training.tensorboard`. */
#ifndef DL_RUN_TENSORBOARD_H
#define DL_RUN_TENSORBOARD_H

#include <stdio.h>

#include "model/model.h"

/* All zero: none is written. */
typedef struct {
    FILE *file;
    char *path; /* owned */
} dl_tensorboard;

/* A number of an epoch: "loss/train". */
typedef struct {
    const char *tag;
    double value;
} dl_scalar;

/* Begins a new file, events.out.tfevents.TIME.HOST.N, in the folder; after `epoch` epochs of an
   earlier training it says so, for TensorBoard to forget what that one may have written of later
   ones. 0, or -1 and an error; dl_tensorboard_close is fine after either. */
int dl_tensorboard_open(dl_tensorboard *board, const char *folder, int64_t epoch, dl_error *error);
/* Adds the scalars; histograms of every parameter and, as the last step has left it, of its
   gradient; for images the first layer's filters and, once, samples of the training part. Their
   step is the epoch, from 1. 0, or -1 and an error. Does nothing if there is no file. */
int dl_tensorboard_add_epoch(dl_tensorboard *board, const dl_model *model, int64_t epoch,
                             const dl_scalar *scalars, int count, dl_error *error);
void dl_tensorboard_close(dl_tensorboard *board);
/* Whether a file of a run's folder is one of these. */
bool dl_tensorboard_is_named(const char *name);

#endif
