/* SPDX-License-Identifier: MIT */
/* When a training has gone wrong for good: what is told, and where it begins. */
#ifndef DL_TRAIN_DIVERGENCE_H
#define DL_TRAIN_DIVERGENCE_H

#include "train/experiment.h"
#include "train/progress.h"

/* `what` ("the loss") is not finite in step `step` (from 1) of the epoch after `epoch`. Looks for
   the first bad layer with `batch` (NULL: not at all). Returns -1, the error is DL_DIVERGED. */
int dl_divergence_fail(dl_experiment *experiment, int64_t epoch, int64_t step,
                       const dl_batch *batch, const char *what, dl_error *error);
/* At the end of an epoch, whose sums are in `progress`: 0 if all weights are finite and not beyond
   hope, else -1 and the error. Takes a batch of `loader` to look for the first bad layer. */
int dl_divergence_check(dl_experiment *experiment, const dl_progress *progress, dl_loader *loader,
                        dl_error *error);

#endif
