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

/* A value of an epoch: "loss/train". */
typedef struct {
    const char *tag;
    double value;
} dl_scalar;

/* Creates a new file, events.out.tfevents.TIME.HOST.N, in the folder. After `epoch` epochs of a
   resumed run, its session log makes TensorBoard discard later events of older files. 0, or -1 and
   an error; call dl_tensorboard_close after either. */
int dl_tensorboard_open(dl_tensorboard *board, const char *folder, int64_t epoch, dl_error *error);
/* Adds the scalars; histograms of every parameter and of its last gradient; for images the filters
   of the first layer and, in the first epoch, training samples. The step of these events is the
   epoch, from 1. 0, or -1 and an error. Does nothing if no file is open. */
int dl_tensorboard_add_epoch(dl_tensorboard *board, const dl_model *model, int64_t epoch,
                             const dl_scalar *scalars, int count, dl_error *error);
void dl_tensorboard_close(dl_tensorboard *board);
/* Whether a file name is that of an event file. */
bool dl_tensorboard_is_named(const char *name);

#endif
