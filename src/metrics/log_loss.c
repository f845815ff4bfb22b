/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "metrics/metric.h"

static void add_log_loss(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows; i++)
        sums[0] += dl_log_loss(o, i);
    sums[1] += (double)o->rows;
}

const dl_metric dl_metric_log_loss = {
    .name = "log_loss",
    .help = "mean cross-entropy of the predicted probabilities in nats, whatever the loss",
    .for_classes = true,
    .probabilities = true,
    .add = add_log_loss,
    .of_sums = dl_metric_mean,
};

static double perplexity(const double *sums) {
    return exp(dl_metric_mean(sums));
}

const dl_metric dl_metric_perplexity = {
    .name = "perplexity",
    .help = "e^log_loss: the effective number of symbols that the network chooses from",
    .for_classes = true,
    .on_demand = true,
    .probabilities = true,
    .add = add_log_loss,
    .of_sums = perplexity,
};

static double bits(const double *sums) {
    return dl_metric_mean(sums) / log(2);
}

const dl_metric dl_metric_bits_per_character = {
    .name = "bits_per_character",
    .help = "log_loss / ln 2: bits needed to encode a symbol of the text",
    .for_classes = true,
    .on_demand = true,
    .probabilities = true,
    .add = add_log_loss,
    .of_sums = bits,
};
