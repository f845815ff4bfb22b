/* SPDX-License-Identifier: MIT */
/* The progress of a training. */
#ifndef DL_TRAIN_PROGRESS_H
#define DL_TRAIN_PROGRESS_H

#include "base/text.h"
#include "model/evaluate.h"
#include "optim/schedule.h"

typedef struct {
    int64_t epoch;       /* complete epochs */
    int64_t epoch_step;  /* steps done in the next epoch */
    int64_t step;        /* steps done in total */
    dl_metric_sums sums; /* over the steps of the incomplete epoch */
    double best;         /* value of the monitored column, NaN before the first epoch */
    int64_t best_epoch;  /* 0: none yet */
    dl_text rows;        /* the last rows of the history (dl_row_keep); owned */
    double schedule[DL_SCHEDULE_STATE]; /* state of a schedule that monitors a column */
} dl_progress;

#endif
