/* SPDX-License-Identifier: MIT */
/* When a training ends, and what counts as getting better. */
#ifndef DL_TRAIN_STOP_H
#define DL_TRAIN_STOP_H

#include "train/experiment.h"

/* Where to stop before the last epoch, so that it can be gone on with: after `parts` of `of` equal
   parts of the epochs (rounded up), or after epoch `parts` if `of` is 0. All zero: at the end. */
typedef struct {
    int64_t parts, of;
} dl_stop;

/* The epoch that a training ends with unless early stopping does; `stop` may be NULL. */
int64_t dl_stop_epoch(const dl_stop *stop, const dl_settings *settings);
/* Whether early stopping has ended a training. */
bool dl_has_stopped_early(const dl_settings *settings, int64_t epoch, int64_t best_epoch);
/* Whether `value` of the monitored column is better than the best so far, of epoch best_epoch (0:
   there was none). NaN is never an improvement, and anything is one over NaN. */
bool dl_improves(const dl_settings *settings, double best, int64_t best_epoch, double value,
                 bool higher);

#endif
