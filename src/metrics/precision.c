/* SPDX-License-Identifier: MIT */
/* Precision, recall and their harmonic mean, F1. */
#include "metrics/metric.h"

static double precision(const dl_class_count *c) {
    return c->rows && !c->predicted ? 0 : dl_metric_ratio((double)c->right, c->predicted);
}

static double precision_of_counts(const dl_class_count *count, int classes) {
    return dl_metric_macro_or_second(count, classes, precision);
}

const dl_metric dl_metric_precision = {
    .name = "precision",
    .help = "share of the rows said to be of a class that are of it; of two classes that of the "
            "second, "
            "of more the mean over the classes (macro), where one that is never predicted counts "
            "0, and "
            "one that neither occurs nor is predicted not at all",
    .for_classes = true,
    .higher_is_better = true,
    .percent = true,
    .of_counts = precision_of_counts,
};

static double recall(const dl_class_count *c) {
    return dl_metric_ratio((double)c->right, c->rows);
}

static double recall_of_counts(const dl_class_count *count, int classes) {
    return dl_metric_macro_or_second(count, classes, recall);
}

const dl_metric dl_metric_recall = {
    .name = "recall",
    .help = "share of the rows of a class that are found; of two classes that of the second, of "
            "more the "
            "mean over the classes that occur (macro)",
    .for_classes = true,
    .higher_is_better = true,
    .percent = true,
    .of_counts = recall_of_counts,
};

static double f1(const dl_class_count *c) {
    return dl_metric_ratio(2 * (double)c->right, c->rows + c->predicted);
}

static double f1_of_counts(const dl_class_count *count, int classes) {
    return dl_metric_macro_or_second(count, classes, f1);
}

const dl_metric dl_metric_f1 = {
    .name = "f1",
    .help =
        "2 * right / (rows of a class + rows said to be of it), the harmonic mean of precision and "
        "recall; of two classes that of the second, of more the mean over the classes that occur "
        "or "
        "are predicted (macro)",
    .for_classes = true,
    .higher_is_better = true,
    .percent = true,
    .of_counts = f1_of_counts,
};
