/* SPDX-License-Identifier: MIT */
#include "metrics/metric.h"

static void add_accuracy(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows; i++)
        sums[0] += dl_predicted_class(o, i) == (int)o->target[i];
    sums[1] += (double)o->rows;
}

const dl_metric dl_metric_accuracy = {
    .name = "accuracy",
    .help = "fraction of the rows whose class is predicted correctly",
    .for_classes = true,
    .higher_is_better = true,
    .percent = true,
    .add = add_accuracy,
    .of_sums = dl_metric_mean,
};
