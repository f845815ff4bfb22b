/* SPDX-License-Identifier: MIT */
/* The part of a checkpoint that only training needs: progress, optimizer state, weight averages.
   With an average, the model's weights are the average and the raw weights are "raw.…". */
#ifndef DL_TRAIN_TRAINING_STATE_H
#define DL_TRAIN_TRAINING_STATE_H

#include "run/checkpoint.h"
#include "train/average.h"
#include "train/progress.h"
#include "train/update.h"

/* Borrowed. The average, if there is one yet, is in the net. */
typedef struct {
    dl_progress *progress;
    dl_optimizer_state *optimizer_state;
    dl_average *average;
} dl_training_state;

/* For dl_checkpoint_save; freed by dl_checkpoint_content_free. */
dl_checkpoint_content dl_training_state_content(const dl_training_state *state,
                                                const dl_experiment *experiment);
/* After the model's weights were loaded; progress->sums must be open. Fails if the run's data or
   the columns of its history differ from the experiment's. Afterwards the average is in the net. */
int dl_training_state_load(const dl_training_state *state, const dl_experiment *experiment,
                           const dl_checkpoint *checkpoint, dl_error *error);

#endif
