/* SPDX-License-Identifier: MIT */
/* The contract of a metric. A new one is a file, a line in metric.c and
   tests/golden/metrics/NAME.json. */
#ifndef DL_METRICS_METRIC_H
#define DL_METRICS_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "metrics/outcome.h"

enum { DL_METRIC_SUMS = 4, DL_MAX_RUN_METRICS = 16, DL_MAX_METRICS = 64 };

/* Rows of a class, rows predicted as it, and rows for which both hold. */
typedef struct {
    int64_t rows, predicted, correct;
} dl_class_count;

/* Scores of all rows. Two classes have one curve, that of the second; more have one per class. */
typedef struct {
    int64_t rows;
    int classes, curves;
    const float *score; /* [rows][curves], see dl_class_scores */
    const int *truth;   /* [rows]; classes */
} dl_scored_rows;

/* The value is a function of sums that `add` fills, of the counts per class, or of the scores of
   all rows, which only an evaluation keeps. NaN: undefined. */
typedef struct dl_metric {
    const char *name, *help;
    bool for_classes, for_numbers; /* at least one */
    bool higher_is_better;
    bool percent;       /* displayed as a percentage */
    bool on_demand;     /* dltest shows it only if the config requests it */
    bool probabilities; /* needs class probabilities */
    bool unit_targets;  /* numeric targets must be in [0, 1] */
    bool per_output; /* for numbers: `add` and `of_sums` work on each output; the value is the mean
                        over those with a value */
    int outputs;     /* required numbers per target; 0: any */
    int output;      /* from 1: only of this output, of one with several; 0: of all */
    int k;           /* of top5: 5, must be less than the number of classes */
    /* Adds the rows of an outcome to sums[DL_METRIC_SUMS], initially 0; if per_output, to
       sums[channels][DL_METRIC_SUMS]. */
    void (*add)(const struct dl_metric *self, double *sums, const dl_outcome *outcome);
    double (*of_sums)(const double *sums);
    /* For classes, instead of sums: */
    double (*of_counts)(const dl_class_count *count, int classes);
    double (*of_scores)(const dl_scored_rows *rows);
    /* The column of the table of classes: its heading, or NULL, and one function for its value. */
    const char *column;
    double (*of_class)(const dl_class_count *count); /* in [0, 1] */
    double (*class_of_scores)(const dl_scored_rows *rows, int class);
    bool column_for_masks; /* also where the metric is not shown but targets are masks */
    /* Another member of the family by name, such as "top3" of top5; NULL: none. */
    const struct dl_metric *(*variant)(const char *name);
} dl_metric;

extern const int dl_metric_count;
extern const dl_metric *const dl_metrics[];
/* A metric or variant by name, never freed; NULL: none. "rmse.height" is rmse (of an output). */
const dl_metric *dl_metric_find(const char *name);
/* Whether it is computed in training, not only in evaluations. */
bool dl_metric_in_training(const dl_metric *metric);
/* Adds ` (did you mean "x"?)` or the list of all metrics. */
void dl_metric_hint(const char *name, dl_text *hint);
/* Adds the names of the metrics for classes or for numbers: "accuracy, top5". */
void dl_metric_list(bool for_classes, dl_text *list);

/* An `of_sums`: sums[0] / sums[1]. */
double dl_metric_mean(const double *sums);
/* above / below; NaN if below is 0. */
double dl_metric_ratio(double above, int64_t below);
/* The mean over the classes with a value (not NaN). */
double dl_metric_macro(const dl_class_count *count, int classes,
                       double (*of_class)(const dl_class_count *count));
/* The same, but for two classes the value of the second. */
double dl_metric_macro_or_second(const dl_class_count *count, int classes,
                                 double (*of_class)(const dl_class_count *count));

#endif
