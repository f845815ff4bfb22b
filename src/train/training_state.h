/* SPDX-License-Identifier: MIT */
/* What a checkpoint has of a training beside its model: progress, optimizer vectors, averages. Of
   an average the model's weights are the average's, and the training's own are "raw.…". */
#ifndef DL_TRAIN_TRAINING_STATE_H
#define DL_TRAIN_TRAINING_STATE_H

#include "run/checkpoint.h"
#include "train/average.h"
#include "train/progress.h"
#include "train/update.h"

/* Borrowed; `average` is in the net if there is one yet. */
typedef struct {
    dl_progress *progress;
    dl_optimizer_state *optimizer_state;
    dl_average *average;
} dl_training_state;

/* For dl_checkpoint_save; freed by dl_checkpoint_content_free. */
dl_checkpoint_content dl_training_state_content(const dl_training_state *state,
                                                const dl_experiment *experiment);
/* The model's weights were loaded, progress->sums are open. Fails if the run's data or the columns
   of its history are not those of the experiment. Afterwards the average is in the net. */
int dl_training_state_load(const dl_training_state *state, const dl_experiment *experiment,
                           const dl_checkpoint *checkpoint, dl_error *error);

#endif
