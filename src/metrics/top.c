/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "metrics/metric.h"

enum { MAX_K = 1000 };

extern const dl_metric dl_metric_top5;

/* A row counts if fewer than k classes score at least as high as the true one (or NaN). */
static void add_top(const dl_metric *self, double *sums, const dl_outcome *o) {
    for (int64_t i = 0; i < o->rows; i++) {
        const float *y = o->output + i * o->channels;
        int truth = (int)o->target[i], above = 0;
        for (int j = 0; j < o->channels && o->channels > 1; j++)
            above += j != truth && !(y[j] < y[truth]);
        if (o->channels == 1)
            above = dl_predicted_class(o, i) != truth;
        sums[0] += above < self->k;
    }
    sums[1] += (double)o->rows;
}

/* Variants such as top3 are created on first use and never freed. */
static const dl_metric *find_top(const char *name) {
    static struct {
        dl_metric metric;
        char name[8];
    } variants[DL_MAX_METRICS];
    if (strncmp(name, "top", 3))
        return NULL;
    int k = 0, i = 0;
    for (const char *c = name + 3; isdigit((unsigned char)*c) && k <= MAX_K; c++)
        k = 10 * k + (*c - '0');
    char spelled[32];
    snprintf(spelled, sizeof spelled, "top%d", k);
    if (strcmp(spelled, name) || k < 1 || k > MAX_K)
        return NULL;
    while (i < DL_MAX_METRICS && variants[i].metric.k && variants[i].metric.k != k)
        i++;
    if (i == DL_MAX_METRICS)
        return NULL;
    if (!variants[i].metric.k) {
        variants[i].metric = dl_metric_top5;
        variants[i].metric.k = k;
        variants[i].metric.name = strcpy(variants[i].name, spelled);
    }
    return &variants[i].metric;
}

const dl_metric dl_metric_top5 = {
    .name = "top5",
    .help = "fraction of the rows whose class is among the five highest scores; also for other "
            "numbers: top3, top10",
    .for_classes = true,
    .higher_is_better = true,
    .percent = true,
    .k = 5,
    .add = add_top,
    .of_sums = dl_metric_mean,
    .variant = find_top,
};
