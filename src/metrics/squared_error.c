/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "metrics/metric.h"

static void add_squares(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows * o->channels; i++) {
        double difference = (double)o->output[i] - o->target[i];
        sums[0] += difference * difference;
    }
    sums[1] += (double)(o->rows * o->channels);
}

const dl_metric dl_metric_mse = {
    .name = "mse",
    .help = "mean squared error over rows and outputs, in the squared units of the data",
    .for_numbers = true,
    .add = add_squares,
    .of_sums = dl_metric_mean,
};

static double root(const double *sums) {
    return sqrt(dl_metric_mean(sums));
}

const dl_metric dl_metric_rmse = {
    .name = "rmse",
    .help = "root mean squared error over rows and outputs, in the units of the data",
    .for_numbers = true,
    .add = add_squares,
    .of_sums = root,
};
