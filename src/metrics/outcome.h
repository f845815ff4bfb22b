/* SPDX-License-Identifier: MIT */
/* Outputs of a network beside their targets, as metrics see them. */
#ifndef DL_METRICS_OUTCOME_H
#define DL_METRICS_OUTCOME_H

#include <stdint.h>

#include "math/activation.h"

/* Rows of outputs beside their targets, of classes or of numbers. Numbers (regression)
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
