/* SPDX-License-Identifier: MIT */
/* The metrics of an evaluation that a report shows, and the values of its classes. */
#ifndef DL_REPORT_SCORES_H
#define DL_REPORT_SCORES_H

#include "metrics/confusion.h"
#include "model/ensemble.h"

typedef struct {
    const dl_model *model; /* with the names of the classes; borrowed */
    int64_t rows;
    dl_accumulator accumulator;              /* of the metrics that are shown */
    dl_confusion confusion;                  /* classes 0: there is none */
    const dl_metric *left_out;               /* for the size of the part; NULL: none */
    const dl_metric *column[DL_MAX_METRICS]; /* of the table of classes */
    int column_count;
} scores;

enum { SCORES_MOST = 10000000 }; /* rows times classes of which auc is shown unasked */

/* For predictions of `classes` (0: numbers) through `link`: the metrics that can be computed from
   them and that the config asks for or that are always shown. scores_close is fine with zeros. */
void scores_open(scores *s, const dl_model *model, int classes, int link, dl_split split);
/* The same metrics for another net. */
void scores_open_like(dl_accumulator *accumulator, const scores *s);
void scores_close(scores *s);
/* A dl_observer: `context` is the scores. */
void scores_observe(void *context, const dl_outcome *outcome);

/* The value of a class in a column; NaN if it is undefined. */
double scores_class_value(const scores *s, int class, const dl_metric *column);

#endif
