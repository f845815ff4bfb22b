/* SPDX-License-Identifier: MIT */
/* The metrics of an evaluation, in total and by class. */
#ifndef DL_REPORT_SCORES_H
#define DL_REPORT_SCORES_H

#include "metrics/confusion.h"
#include "model/ensemble.h"

typedef struct {
    const dl_model *model; /* borrowed */
    int64_t rows;
    dl_accumulator accumulator;
    dl_confusion confusion;                  /* classes 0: none */
    const dl_metric *omitted;                /* for want of memory; or NULL */
    const dl_metric *column[DL_MAX_METRICS]; /* of the table by class */
    int column_count;
} dl_scores;

enum { DL_SCORES_MOST = 10000000 }; /* rows times classes up to which auc is computed by default */

/* Selects the metrics for predictions of `classes` (0: numbers) through `link`: those of the config
   and those always shown. A zeroed struct can be closed. */
void dl_scores_open(dl_scores *s, const dl_model *model, int classes, int link, dl_split split);
/* Opens an accumulator of the same metrics. */
void dl_scores_open_like(dl_accumulator *accumulator, const dl_scores *s);
void dl_scores_close(dl_scores *s);
/* A dl_observer; its context is a dl_scores. */
void dl_scores_observe(void *context, const dl_outcome *outcome);

/* The value of a class in a column; NaN if it is undefined. */
double dl_scores_class_value(const dl_scores *s, int class, const dl_metric *column);

#endif
