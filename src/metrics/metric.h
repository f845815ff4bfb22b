/* SPDX-License-Identifier: MIT */
/* Metrics: what a person wants to know beside the loss. A new one is a row of the table in
 * metric.c. */
#ifndef DL_METRICS_METRIC_H
#define DL_METRICS_METRIC_H

#include "losses/loss.h"

/* DL_METRICS: in a run. DL_MOST_METRICS: in the table. */
enum { DL_METRIC_SUMS = 4, DL_METRICS = 16, DL_MOST_METRICS = 64, DL_MOST_TOP = 1000 };

/* Rows of outputs beside their targets, as the metric's `for_classes` says. Numbers (regression)
 * are in the units of the data. */
typedef struct {
    int64_t rows, channels;
    const float *output; /* [rows][channels] */
    const float *target; /* [rows] class numbers, or [rows][channels] */
    int classes;         /* 0: regression */
    float threshold;     /* one output for two classes: above it the second is predicted */
    int link; /* classes: what makes probabilities of the outputs: DL_SOFTMAX, DL_SIGMOID, DL_LINEAR
                 (they are some), or DL_NO_PROBABILITIES */
} dl_outcome;

enum { DL_NO_PROBABILITIES = -1 };

/* Rows of a class, those that are predicted to be of it, and those for which that is right. */
typedef struct {
    int64_t rows, predicted, right;
} dl_class_count;

/* What a metric is worked out from: sums over the rows, the counts of each class, or the order of
   all rows, which only an evaluation knows. */
typedef enum { DL_FROM_SUMS, DL_FROM_COUNTS, DL_FROM_ORDER } dl_metric_source;

typedef struct dl_metric {
    const char *name, *help;
    bool for_classes, for_numbers; /* either, or both */
    bool higher_is_better;
    bool percent;               /* shown as one */
    bool on_demand;             /* dltest shows it only if the config asks for it */
    bool probabilities;         /* it needs them */
    bool mean_of_two;           /* of two classes, too, the mean: else the second one's */
    bool unit_targets;          /* targets that are numbers must be from 0 to 1 */
    int outputs;                /* how many numbers a target must have; 0: any */
    int k;                      /* of "top5": 5 */
    dl_metric_source for_class; /* what it is worked out from, if the targets are classes */
    void (*add)(const struct dl_metric *self, double *sums, const dl_outcome *outcome);
    double (*value)(const double *sums);             /* NaN if there was nothing */
    double (*of_class)(const dl_class_count *count); /* DL_FROM_COUNTS; NaN: left out */
} dl_metric;

extern const dl_metric dl_metrics[];
extern const int dl_metric_count;
/* By its name; "top3" is made of "top5". It lives as long as the program; NULL: there is none. */
const dl_metric *dl_metric_find(const char *name);
/* Whether the training part, too, has it: not what an evaluation alone knows. */
bool dl_metric_of_steps(const dl_metric *metric);
/* For an error message: ` (did you mean "x"?)`, or all that there are. */
void dl_metric_hint(const char *name, dl_text *hint);
/* The names of those for classes, or for numbers: "accuracy, top5". */
void dl_metric_list(bool for_classes, dl_text *list);

/* The class that a row of outputs stands for: the first largest, or by the threshold. */
int dl_predicted_class(const dl_outcome *outcome, int64_t row);
/* -ln of the probability of the row's true class, finite: a probability is at least 1e-38. */
double dl_log_loss(const dl_outcome *outcome, int64_t row);
/* probability[classes] of a row. The outcome must have some. */
void dl_class_probabilities(const dl_outcome *outcome, int64_t row, double *probability);
/* score[classes]: how much a row looks like each class: its log odds, or the probability or output
   as it is. */
void dl_class_scores(const dl_outcome *outcome, int64_t row, float *score);
/* The mean of number[count], weighed by the softmax of logits[count]. */
double dl_expected_value(const float *logits, const double *number, int count);

#endif
