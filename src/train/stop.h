/* SPDX-License-Identifier: MIT */
/* When a training ends, and what counts as an improvement. */
#ifndef DL_TRAIN_STOP_H
#define DL_TRAIN_STOP_H

#include "train/experiment.h"

/* Where to pause a training, to be resumed later: after `parts` of `of` equal parts of the epochs
   (rounded up), or after epoch `parts` if `of` is 0. All zero: at the end. */
typedef struct {
    int64_t parts, of;
} dl_stop;

/* The last epoch without early stopping; `stop` may be NULL. */
int64_t dl_stop_epoch(const dl_stop *stop, const dl_settings *settings);
/* Whether early stopping has ended a training. */
bool dl_has_stopped_early(const dl_settings *settings, int64_t epoch, int64_t best_epoch);
/* Whether `value` of the monitored column is better than `best`, of epoch best_epoch (0: none). NaN
   is never an improvement; any other value improves on NaN. */
bool dl_improves(const dl_settings *settings, double best, int64_t best_epoch, double value,
                 bool higher);

#endif
