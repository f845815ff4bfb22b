/* SPDX-License-Identifier: MIT */
/* What the values of metrics are computed from, over the rows so far. */
#ifndef DL_METRICS_ACCUMULATOR_H
#define DL_METRICS_ACCUMULATOR_H

#include "metrics/metric.h"

enum { DL_MOST_ACCUMULATED = 32 };

typedef struct {
    const dl_metric *metric[DL_MOST_ACCUMULATED];
    int metric_count, classes, outputs;
    double *sums[DL_MOST_ACCUMULATED]; /* [1 or outputs][DL_METRIC_SUMS]; sums[0] owns them all */
    dl_class_count *count;             /* [classes]; owned; NULL: no metric looks at it */
    /* for metrics of the scores of all rows: */
    bool ordered;
    float *score;       /* [room][curves]; owned */
    int *truth;         /* [room]: classes; owned */
    int64_t rows, room; /* that there are, and that there is memory for */
} dl_accumulator;

/* For metrics[count], whose pointers are borrowed, of targets that are one of `classes` or (0) so
   many `outputs`. `ordered`: also for those that are computed from the order of all rows, whose
   memory grows with them; without it nothing is allocated after this. */
void dl_accumulator_open(dl_accumulator *accumulator, const dl_metric *const *metrics, int count,
                         int classes, int outputs, bool ordered);
/* numbers: what the metrics that are only for numbers look at; of a number in bins not the same. */
void dl_accumulator_add(dl_accumulator *accumulator, const dl_outcome *outcome,
                        const dl_outcome *numbers);
/* Only what the metrics look at that are only for numbers. */
void dl_accumulator_add_numbers(dl_accumulator *accumulator, const dl_outcome *numbers);
/* Of metric number m; NaN if there was nothing that it could be worked out from. */
double dl_accumulator_value(const dl_accumulator *accumulator, int m);
/* A list of numbers under a name, to be written down or read back: 0, or -1. */
typedef int (*dl_field_visitor)(void *context, const char *name, double *value, int64_t count);
/* Visits all sums and counts, but not the order of the rows, and takes over what the visitor has
   put in their place: -1 if it failed, or if that cannot be a count. */
int dl_accumulator_fields(dl_accumulator *accumulator, dl_field_visitor visit, void *context);
/* A whole number that is not negative; false, and 0, if it cannot be one. */
bool dl_count_from_double(double number, int64_t *count);
/* As if nothing had been added. */
void dl_accumulator_clear(dl_accumulator *accumulator);
void dl_accumulator_close(dl_accumulator *accumulator);

/* Borrowed from an accumulator that is `ordered` and has such a metric. */
dl_scored_rows dl_accumulator_scores(const dl_accumulator *accumulator);

#endif
