/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "metrics/metric.h"

/* Per output: squared errors, count, mean of the targets, their squared deviations (Welford's
   update, to avoid cancellation). */
static void add_r2(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows * o->channels; i++) {
        double *output_sums = sums + i % o->channels * DL_METRIC_SUMS;
        double difference = (double)o->output[i] - o->target[i];
        double deviation = (double)o->target[i] - output_sums[2];
        output_sums[0] += difference * difference;
        output_sums[1] += 1;
        output_sums[2] += deviation / output_sums[1];
        output_sums[3] += deviation * ((double)o->target[i] - output_sums[2]);
    }
}

static double r2(const double *sums) {
    return sums[3] > 0 ? 1 - sums[0] / sums[3] : NAN;
}

const dl_metric dl_metric_r2 = {
    .name = "r2",
    .help =
        "coefficient of determination, the explained fraction of the variance of the targets: 1 is "
        "perfect, 0 as good as predicting the mean; the mean over the outputs whose targets vary",
    .for_numbers = true,
    .per_output = true,
    .higher_is_better = true,
    .add = add_r2,
    .of_sums = r2,
};
