/* Metrics: what a person wants to know beside the loss. A new one is a row of the table in
 * metric.c. */
#ifndef DL_TRAIN_METRIC_H
#define DL_TRAIN_METRIC_H

#include "losses/loss.h"

/* DL_METRICS: in a run. DL_MOST_METRICS: in the table. */
enum { DL_METRIC_SUMS = 4, DL_METRICS = 8, DL_MOST_METRICS = 64 };

/* Rows of outputs beside their targets, as the metric's `for_classes` says. Numbers (regression)
 * are in the units of the data. */
typedef struct {
    int64_t rows, channels;
    const float *output; /* [rows][channels] */
    const float *target; /* [rows] class numbers, or [rows][channels] */
    int classes;         /* 0: regression */
    float threshold;     /* one output for two classes: above it the second is predicted */
} dl_outcome;

typedef struct {
    const char *name, *help;
    bool for_classes; /* else for numbers */
    bool higher_is_better;
    bool percent; /* shown as one */
    void (*add)(double *sums, const dl_outcome *outcome);
    double (*value)(const double *sums); /* NaN if there was nothing */
} dl_metric;

extern const dl_metric dl_metrics[];
extern const int dl_metric_count;
const dl_metric *dl_metric_find(const char *name);
/* For an error message: ` (did you mean "x"?)`, or all that there are. */
void dl_metric_hint(const char *name, dl_text *hint);
/* The names of those for classes, or for numbers: "accuracy, top5". */
void dl_metric_list(bool for_classes, dl_text *list);

/* The class that a row of outputs stands for: the first largest, or by the threshold. */
int dl_predicted_class(const dl_outcome *outcome, int64_t row);
/* The mean of number[count], weighed by the softmax of logits[count]. */
double dl_expected_value(const float *logits, const double *number, int count);

#endif
