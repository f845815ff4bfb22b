/* SPDX-License-Identifier: MIT */
/* Reports divergence, and the layer where it starts. */
#ifndef DL_TRAIN_DIVERGENCE_H
#define DL_TRAIN_DIVERGENCE_H

#include "train/experiment.h"
#include "train/progress.h"

/* Fails with DL_DIVERGED: `what` ("the loss") is not finite in step `step` (from 1) of the epoch
   after `epoch`. Runs `batch` to find the first bad layer (NULL: skipped). Returns -1. */
int dl_divergence_fail(dl_experiment *experiment, int64_t epoch, int64_t step,
                       const dl_batch *batch, const char *what, dl_error *error);
/* At the end of an epoch, whose sums are in `progress`: 0, or -1 and an error if a weight is not
   finite or the loss has exploded. Uses a batch of `loader` to find the first bad layer. */
int dl_divergence_check(dl_experiment *experiment, const dl_progress *progress, dl_loader *loader,
                        dl_error *error);

#endif
