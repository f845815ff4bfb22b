/* SPDX-License-Identifier: MIT */
#include "metrics/threshold_curve.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

typedef struct {
    float score;
    bool positive;
} ranked;

static int descending(const void *a, const void *b) {
    float x = ((const ranked *)a)->score, y = ((const ranked *)b)->score;
    return (x < y) - (x > y);
}

dl_threshold_curve dl_threshold_curve_new(const dl_scored_rows *rows, int class) {
    int64_t n = rows->rows, right = 0;
    ranked *row = xmalloc(sizeof *row * (size_t)(n + 1));
    dl_threshold_curve c = {0};
    bool has_nan = false;
    for (int64_t i = 0; i < n; i++) {
        int curve = rows->curves == 1 ? 0 : class;
        row[i] = (ranked){rows->score[i * rows->curves + curve], rows->truth[i] == class};
        c.positive += row[i].positive;
        has_nan |= isnan(row[i].score);
    }
    c.negative = n - c.positive;
    if (c.positive && c.negative && !has_nan) {
        qsort(row, (size_t)n, sizeof *row, descending);
        c.threshold = xmalloc(4 * sizeof *c.threshold * (size_t)(n + 1));
        c.false_rate = c.threshold + n + 1;
        c.recall = c.false_rate + n + 1;
        c.precision = c.recall + n + 1;
        c.threshold[0] = INFINITY;
        c.false_rate[0] = c.recall[0] = 0;
        c.precision[0] = 1;
        c.count = 1;
    }
    for (int64_t i = 0; i < n && c.count; i++) {
        right += row[i].positive;
        if (i + 1 < n && row[i + 1].score == row[i].score)
            continue;
        int64_t k = c.count++;
        c.threshold[k] = (double)row[i].score;
        c.recall[k] = (double)right / (double)c.positive;
        c.false_rate[k] = (double)(i + 1 - right) / (double)c.negative;
        c.precision[k] = (double)right / (double)(i + 1);
        c.average_precision += (c.recall[k] - c.recall[k - 1]) * c.precision[k];
    }
    free(row);
    return c;
}

double dl_score_probability(double score, int link) {
    return link == DL_SOFTMAX || link == DL_SIGMOID ? 1 / (1 + exp(-score)) : score;
}

dl_calibration dl_calibration_new(const dl_scored_rows *rows, int link) {
    dl_calibration c = {.error = 0};
    for (int64_t i = 0; i < rows->rows; i++) {
        const float *score = rows->score + i * rows->curves;
        int best = 0;
        for (int k = 1; k < rows->curves; k++)
            best = score[k] > score[best] ? k : best;
        double p = dl_score_probability((double)score[best], link);
        int bin = (int)ceil(p * DL_CALIBRATION_BINS) - 1;
        bin = bin < 0 ? 0 : bin < DL_CALIBRATION_BINS ? bin : DL_CALIBRATION_BINS - 1;
        c.rows[bin]++;
        c.predicted[bin] += p;
        c.observed[bin] += rows->truth[i] == (rows->curves == 1 ? 1 : best);
    }
    for (int b = 0; b < DL_CALIBRATION_BINS; b++) {
        c.error += fabs(c.predicted[b] - c.observed[b]) / (double)rows->rows;
        c.predicted[b] /= (double)c.rows[b];
        c.observed[b] /= (double)c.rows[b];
    }
    return c;
}
