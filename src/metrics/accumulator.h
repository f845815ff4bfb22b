/* SPDX-License-Identifier: MIT */
/* Accumulates metrics over the rows of many batches. */
#ifndef DL_METRICS_ACCUMULATOR_H
#define DL_METRICS_ACCUMULATOR_H

#include "metrics/metric.h"

enum { DL_MAX_ACCUMULATED = 32 };

typedef struct {
    const dl_metric *metric[DL_MAX_ACCUMULATED];
    int metric_count, classes, outputs;
    double *sums[DL_MAX_ACCUMULATED]; /* [1 or outputs][DL_METRIC_SUMS]; sums[0] owns them all */
    dl_class_count *count;            /* [classes]; owned; NULL: no metric needs it */
    /* for metrics of the scores of all rows: */
    bool keeps_scores;
    float *score;           /* [capacity][curves]; owned */
    int *truth;             /* [capacity]; classes; owned */
    int64_t rows, capacity; /* rows: of scores */
} dl_accumulator;

/* For metrics[count] (borrowed) of `classes` classes, or (0) of `outputs` numbers. keeps_scores:
   also metrics of the scores of all rows, whose memory grows with the rows; else nothing is
   allocated after this call. */
void dl_accumulator_open(dl_accumulator *accumulator, const dl_metric *const *metrics, int count,
                         int classes, int outputs, bool keeps_scores);
/* `numbers`: for metrics of numbers; differs from `outcome` for a binned target. */
void dl_accumulator_add(dl_accumulator *accumulator, const dl_outcome *outcome,
                        const dl_outcome *numbers);
/* Adds only to metrics of numbers. */
void dl_accumulator_add_numbers(dl_accumulator *accumulator, const dl_outcome *numbers);
/* The value of metric m; NaN if it is undefined. */
double dl_accumulator_value(const dl_accumulator *accumulator, int m);
/* Saves or restores value[count]. 0, or -1. */
typedef int (*dl_field_visitor)(void *context, const char *name, double *value, int64_t count);
/* Passes all sums and counts, but no scores, to the visitor, which may replace them. -1 if it fails
   or sets an invalid count. */
int dl_accumulator_fields(dl_accumulator *accumulator, dl_field_visitor visit, void *context);
/* False, and 0, if `number` is not a valid count. */
bool dl_count_from_double(double number, int64_t *count);

void dl_accumulator_clear(dl_accumulator *accumulator);
void dl_accumulator_close(dl_accumulator *accumulator);

/* Borrowed; for an accumulator with keeps_scores. */
dl_scored_rows dl_accumulator_scores(const dl_accumulator *accumulator);

#endif
