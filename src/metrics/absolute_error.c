/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "metrics/metric.h"

static void add_magnitudes(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows * o->channels; i++)
        sums[0] += fabs((double)o->output[i] - o->target[i]);
    sums[1] += (double)(o->rows * o->channels);
}

const dl_metric dl_metric_mae = {
    .name = "mae",
    .help = "mean absolute error over rows and outputs, in the units of the data",
    .for_numbers = true,
    .add = add_magnitudes,
    .of_sums = dl_metric_mean,
};
