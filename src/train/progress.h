/* SPDX-License-Identifier: MIT */
/* How far a training is. */
#ifndef DL_TRAIN_PROGRESS_H
#define DL_TRAIN_PROGRESS_H

#include "model/evaluate.h"
#include "optim/schedule.h"

typedef struct {
    int64_t epoch;      /* epochs that are complete */
    int64_t epoch_step; /* steps done of the next one */
    int64_t step;       /* steps done in all */
    dl_sums sums;       /* of the steps of the incomplete epoch */
    double best;        /* value of the monitored column, NaN before the first epoch */
    int64_t best_epoch; /* 0: none yet */
    double schedule[DL_SCHEDULE_STATE]; /* state of a schedule that watches a column */
} dl_progress;

#endif
