/* SPDX-License-Identifier: MIT */
/* What is measured of an epoch: a row of the history. */
#ifndef DL_TRAIN_ROW_H
#define DL_TRAIN_ROW_H

#include "train/experiment.h"

enum { DL_PHASE_DATA, DL_PHASE_FORWARD, DL_PHASE_BACKWARD, DL_PHASE_UPDATE, DL_PHASES };

typedef struct {
    int64_t epoch, step;
    double rate, seconds, samples_per_second;
    double train_loss, train_metric[DL_MAX_RUN_METRICS];
    double train_head[DL_MOST_HEADS]; /* the losses of the auxiliary heads */
    double train_objective;           /* train_loss, the heads' and the penalties */
    double val_loss, val_metric[DL_MAX_RUN_METRICS];
    double phase[DL_PHASES]; /* seconds spent waiting for data, forward, backward, updating */
} dl_row;

/* history.csv's first line, and that of a row, with their newlines. */
dl_text dl_row_header(const dl_experiment *experiment);
dl_text dl_row_line(const dl_experiment *experiment, const dl_row *row);

#endif
