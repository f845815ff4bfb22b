/* SPDX-License-Identifier: MIT */
/* Area under the ROC curve by the statistic of Mann and Whitney, "On a test of whether one of two
   random variables is stochastically larger than the other", 1947, for p positive and n negative
   rows, ranks from 1, ties sharing their mean rank: area = (sum of the ranks of the positive rows -
   p (p + 1) / 2) / (p n). */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "metrics/metric.h"

typedef struct {
    float score;
    bool positive;
} ranked;

static int ascending(const void *a, const void *b) {
    float x = ((const ranked *)a)->score, y = ((const ranked *)b)->score;
    return (x > y) - (x < y);
}

/* Of the positive ones among sorted rows. */
static double rank_sum(const ranked *row, int64_t count) {
    double sum = 0;
    for (int64_t from = 0, to; from < count; from = to) {
        int64_t positive = 0;
        for (to = from; to < count && row[to].score == row[from].score; to++)
            positive += row[to].positive;
        sum += (double)positive * ((double)(from + 1 + to) / 2);
    }
    return sum;
}

/* One vs. rest; NaN if either side has no rows or a score is NaN. */
static double area_of_class(const dl_scored_rows *rows, int class) {
    int n = rows->curves, curve = n == 1 ? 0 : class;
    ranked *row = xmalloc(sizeof *row * (size_t)(rows->rows + 1));
    double positive = 0;
    bool has_nan = false;
    for (int64_t i = 0; i < rows->rows; i++) {
        row[i] = (ranked){rows->score[i * n + curve], rows->truth[i] == (n == 1 ? 1 : class)};
        positive += row[i].positive;
        has_nan |= isnan(row[i].score);
    }
    double negative = (double)rows->rows - positive, area = NAN;
    if (positive > 0 && negative > 0 && !has_nan) {
        qsort(row, (size_t)rows->rows, sizeof *row, ascending);
        area = (rank_sum(row, rows->rows) - positive * (positive + 1) / 2) / (positive * negative);
    }
    free(row);
    return area;
}

static double mean_area(const dl_scored_rows *rows) {
    double sum = 0;
    int count = 0;
    for (int c = rows->classes == 2; c < rows->classes; c++) {
        double area = area_of_class(rows, c);
        sum += isnan(area) ? 0 : area;
        count += !isnan(area);
    }
    return count ? sum / count : NAN;
}

const dl_metric dl_metric_auc = {
    .name = "auc",
    .help = "area under the ROC curve: the probability that a row of the second class scores "
            "higher than a row of the first, ties counting half; for more than two classes the "
            "mean of one-vs-rest. Exact; computed in validation and test only",
    .for_classes = true,
    .higher_is_better = true,
    .of_scores = mean_area,
    .column = "AUC",
    .class_of_scores = area_of_class,
};
