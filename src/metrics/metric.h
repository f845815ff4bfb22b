/* SPDX-License-Identifier: MIT */
/* The contract of a metric: a number that is reported beside the loss. A new one is a file and a
   line in metric.c. */
#ifndef DL_METRICS_METRIC_H
#define DL_METRICS_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "metrics/outcome.h"

enum { DL_METRIC_SUMS = 4, DL_METRICS = 16 /* in a run, at most */, DL_MOST_METRICS = 64 };

/* Rows of a class, rows predicted to be of it, and rows for which that is right. */
typedef struct {
    int64_t rows, predicted, right;
} dl_class_count;

/* The scores of all rows. Two classes have one curve, of the second class; more have one each. */
typedef struct {
    int64_t rows;
    int classes, curves;
    const float *score; /* [rows][curves], as dl_class_scores gives them */
    const int *truth;   /* [rows]: classes */
} dl_scored_rows;

/* A metric has one function to give its value: from the sums that `add` fills, from the counts of
   each class, or from the scores of all rows, which only an evaluation keeps. NaN: there is none.
 */
typedef struct dl_metric {
    const char *name, *help;
    bool for_classes, for_numbers; /* of targets; either, or both */
    bool higher_is_better;
    bool percent;       /* shown as one */
    bool on_demand;     /* dltest shows it only if the config asks for it */
    bool probabilities; /* needs them */
    bool unit_targets;  /* targets that are numbers must be from 0 to 1 */
    bool per_output;    /* of numbers: `add` and `of_sums` are for each output by itself, and the
                           value is the mean over the outputs that have one */
    int outputs;        /* how many numbers a target must have; 0: any */
    int k;              /* of "top5": 5, which must be less than the classes */
    /* Adds the rows of an outcome to sums[DL_METRIC_SUMS], which begin at 0; with per_output to
       sums[channels][DL_METRIC_SUMS]. */
    void (*add)(const struct dl_metric *self, double *sums, const dl_outcome *outcome);
    double (*of_sums)(const double *sums);
    /* For classes, in place of sums: */
    double (*of_counts)(const dl_class_count *count, int classes);
    double (*of_scores)(const dl_scored_rows *rows);
    /* Others of its family by their names, as "top3" of top5; NULL: there are none. */
    const struct dl_metric *(*variant)(const char *name);
} dl_metric;

/* Every metric: count and table. */
extern const int dl_metric_count;
extern const dl_metric *const dl_metrics[];
/* By its name, or a variant. It lives as long as the program; NULL: there is none. */
const dl_metric *dl_metric_find(const char *name);
/* Whether it is measured in training, too, and not in evaluations alone. */
bool dl_metric_of_steps(const dl_metric *metric);
/* For an error message: ` (did you mean "x"?)`, or the list of all. */
void dl_metric_hint(const char *name, dl_text *hint);
/* The names of those for classes, or for numbers: "accuracy, top5". */
void dl_metric_list(bool for_classes, dl_text *list);

/* An `of_sums`: sums[0] / sums[1]. */
double dl_metric_mean(const double *sums);
/* above / below; NaN if that is 0 / 0. */
double dl_metric_ratio(double above, int64_t below);
/* The mean over count[classes] of what has a value. */
double dl_metric_macro(const dl_class_count *count, int classes,
                       double (*of_class)(const dl_class_count *count));
/* The same, but of two classes that of the second. */
double dl_metric_macro_or_second(const dl_class_count *count, int classes,
                                 double (*of_class)(const dl_class_count *count));

#endif
