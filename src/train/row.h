/* SPDX-License-Identifier: MIT */
/* The measurements of one epoch: a row of the history. */
#ifndef DL_TRAIN_ROW_H
#define DL_TRAIN_ROW_H

#include "train/experiment.h"

enum { DL_PHASE_DATA, DL_PHASE_FORWARD, DL_PHASE_BACKWARD, DL_PHASE_UPDATE, DL_PHASES };

typedef struct {
    int64_t epoch, step;
    double rate, seconds, samples_per_second;
    double train_loss, train_metric[DL_MAX_RUN_METRICS];
    double train_head[DL_MAX_HEADS]; /* unweighted losses of the auxiliary heads */
    double train_objective;          /* train_loss, the weighted heads and the penalties */
    double val_loss, val_metric[DL_MAX_RUN_METRICS];
    double phase[DL_PHASES]; /* seconds of waiting for data, forward, backward, updating */
} dl_row;

/* One column of the history. The strings are borrowed, and only valid during the visit. */
typedef struct {
    const char *name; /* in history.csv and in JSON: "train_loss" */
    const char *tag;  /* in TensorBoard: "loss/train"; NULL: not written there */
    int decimals;     /* 0: an integer; negative: 9 significant digits */
    bool score;       /* a loss or a metric: a resumed run must have the same ones */
    double value;
} dl_measurement;
typedef void (*dl_measurement_visitor)(void *context, const dl_measurement *column);

/* Visits the columns that the history of this experiment has, in order. Everything that writes a
   row (CSV, JSON, event files) does so with it. */
void dl_row_visit(const dl_experiment *experiment, const dl_row *row, dl_measurement_visitor visit,
                  void *context);

/* The first line of history.csv and the line of a row, with their newlines. */
dl_text dl_row_header(const dl_experiment *experiment);
dl_text dl_row_line(const dl_experiment *experiment, const dl_row *row);
/* Adds the row to the last ones, of which it keeps 100, with nan for the columns that are times:
   equal runs must have equal checkpoints. */
void dl_row_keep(const dl_experiment *experiment, const dl_row *row, dl_text *last);
/* The names of the losses and metrics: "train_loss,train_accuracy,val_loss,val_accuracy". */
dl_text dl_row_scores(const dl_experiment *experiment);
/* The value of the column `name`; NaN if there is no such column. */
double dl_row_value(const dl_experiment *experiment, const dl_row *row, const char *name);

#endif
