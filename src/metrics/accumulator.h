/* SPDX-License-Identifier: MIT */
/* What metrics are worked out from, of the rows so far. */
#ifndef DL_METRICS_ACCUMULATOR_H
#define DL_METRICS_ACCUMULATOR_H

#include "metrics/metric.h"

enum { DL_TALLIED = 32 };

typedef struct {
    const dl_metric *metric[DL_TALLIED];
    int metric_count, classes;
    double sums[DL_TALLIED][DL_METRIC_SUMS];
    dl_class_count *count; /* [classes]; owned; NULL: no metric looks at it */
    /* for the order of the rows, as it is found: */
    bool ordered;
    float *score;       /* [room][curves]; owned */
    int *truth;         /* [room]: classes; owned */
    int64_t rows, room; /* that there are, and that there is memory for */
} dl_tally;

/* For metrics[count], of which a tally borrows the pointers. `ordered`: also for those that are
   worked out from the order of all rows, whose memory grows with them; without it nothing is
   allocated after this. */
void dl_tally_open(dl_tally *tally, const dl_metric *const *metrics, int count, int classes,
                   bool ordered);
/* numbers: what the metrics that are only for numbers look at; of a number in bins not the same. */
void dl_tally_add(dl_tally *tally, const dl_outcome *outcome, const dl_outcome *numbers);
/* Only what the metrics look at that are only for numbers. */
void dl_tally_add_numbers(dl_tally *tally, const dl_outcome *numbers);
/* Of metric number m; NaN if there was nothing that it could be worked out from. */
double dl_tally_value(const dl_tally *tally, int m);
/* As if nothing had been added. */
void dl_tally_clear(dl_tally *tally);
void dl_tally_close(dl_tally *tally);

/* The area under the curve of a class against the rest; NaN if there are no rows of it, or of the
   others, and if a score is NaN. The tally must be `ordered`, with such a metric. */
double dl_tally_auc(const dl_tally *tally, int class);

#endif
