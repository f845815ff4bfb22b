/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "metrics/metric.h"

/* Of each output: squared errors, count, mean of the targets, their squared deviations (Welford's
   update, since the difference of large sums would cancel). */
static void add_r2(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows * o->channels; i++) {
        double *own = sums + i % o->channels * DL_METRIC_SUMS;
        double difference = (double)o->output[i] - o->target[i];
        double deviation = (double)o->target[i] - own[2];
        own[0] += difference * difference;
        own[1] += 1;
        own[2] += deviation / own[1];
        own[3] += deviation * ((double)o->target[i] - own[2]);
    }
}

static double r2(const double *sums) {
    return sums[3] > 0 ? 1 - sums[0] / sums[3] : NAN;
}

const dl_metric dl_metric_r2 = {
    .name = "r2",
    .help =
        "share of the targets' variance that is explained; 1 is perfect, 0 as good as the mean; "
        "of several outputs the mean over those whose targets vary",
    .for_numbers = true,
    .per_output = true,
    .higher_is_better = true,
    .add = add_r2,
    .of_sums = r2,
};
