/* SPDX-License-Identifier: MIT */
#include "metrics/metric.h"

static double precision_or_zero(const dl_class_count *c) {
    return c->rows && !c->predicted ? 0 : dl_metric_ratio((double)c->correct, c->predicted);
}

static double precision(const dl_class_count *c) {
    return dl_metric_ratio((double)c->correct, c->predicted);
}

static double precision_of_counts(const dl_class_count *count, int classes) {
    return dl_metric_macro_or_second(count, classes, precision_or_zero);
}

const dl_metric dl_metric_precision = {
    .name = "precision",
    .help = "fraction of the rows predicted as a class that belong to it; for two classes of the "
            "second, for more the mean over the classes (macro): a class that is never predicted "
            "counts 0, one that does not occur either is ignored",
    .for_classes = true,
    .higher_is_better = true,
    .percent = true,
    .of_counts = precision_of_counts,
    .column = "precision",
    .of_class = precision,
};

static double recall(const dl_class_count *c) {
    return dl_metric_ratio((double)c->correct, c->rows);
}

static double recall_of_counts(const dl_class_count *count, int classes) {
    return dl_metric_macro_or_second(count, classes, recall);
}

const dl_metric dl_metric_recall = {
    .name = "recall",
    .help = "fraction of the rows of a class that are predicted as it; for two classes of the "
            "second, for more the mean over the classes that occur (macro)",
    .for_classes = true,
    .higher_is_better = true,
    .percent = true,
    .of_counts = recall_of_counts,
    .column = "recall",
    .of_class = recall,
};

static double f1(const dl_class_count *c) {
    return dl_metric_ratio(2 * (double)c->correct, c->rows + c->predicted);
}

static double f1_of_counts(const dl_class_count *count, int classes) {
    return dl_metric_macro_or_second(count, classes, f1);
}

const dl_metric dl_metric_f1 = {
    .name = "f1",
    .help = "harmonic mean of precision and recall; for two classes of the second, for more the "
            "mean over the classes that occur or are predicted (macro)",
    .for_classes = true,
    .higher_is_better = true,
    .percent = true,
    .of_counts = f1_of_counts,
    .column = "F1",
    .of_class = f1,
};
