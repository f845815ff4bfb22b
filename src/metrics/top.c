/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "metrics/metric.h"

enum { MOST_K = 1000 };

extern const dl_metric dl_metric_top5;

/* A row counts if fewer than k classes score above the true one; ties and NaN count against it. One
   output for two classes is a score for the second one. */
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

/* "top3" and others are made when they are first asked for, and stay. */
static const dl_metric *find_top(const char *name) {
    static struct {
        dl_metric metric;
        char name[8];
    } made[DL_MOST_METRICS];
    if (strncmp(name, "top", 3))
        return NULL;
    int k = 0, i = 0;
    for (const char *c = name + 3; isdigit((unsigned char)*c) && k <= MOST_K; c++)
        k = 10 * k + (*c - '0');
    char spelt[32];
    snprintf(spelt, sizeof spelt, "top%d", k);
    if (strcmp(spelt, name) || k < 1 || k > MOST_K)
        return NULL;
    while (i < DL_MOST_METRICS && made[i].metric.k && made[i].metric.k != k)
        i++;
    if (i == DL_MOST_METRICS)
        return NULL;
    if (!made[i].metric.k) {
        made[i].metric = dl_metric_top5;
        made[i].metric.k = k;
        made[i].metric.name = strcpy(made[i].name, spelt);
    }
    return &made[i].metric;
}

const dl_metric dl_metric_top5 = {
    .name = "top5",
    .help =
        "share of the rows whose class is among the five that score highest; any other number will "
        "do: top3, top10",
    .for_classes = true,
    .higher_is_better = true,
    .percent = true,
    .k = 5,
    .add = add_top,
    .of_sums = dl_metric_mean,
    .variant = find_top,
};
