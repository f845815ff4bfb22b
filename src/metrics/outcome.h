/* SPDX-License-Identifier: MIT */
#ifndef DL_METRICS_OUTCOME_H
#define DL_METRICS_OUTCOME_H

#include <stdint.h>

#include "math/activation.h"

/* Outputs of the network and their targets: classes, or numbers (regression) in the units of the
   data. */
typedef struct {
    int64_t rows, channels;
    const float *output; /* [rows][channels] */
    const float *target; /* [rows] class numbers, or [rows][channels] */
    int classes;         /* 0: regression */
    float threshold;     /* one output for two classes: above it the second class is predicted */
    int link; /* classes: maps outputs to probabilities: DL_SOFTMAX, DL_SIGMOID, DL_LINEAR
                 (identity), or DL_NO_PROBABILITIES */
    const double *origin; /* [channels] that outputs and targets lack, being too large for float;
                             NULL: none */
} dl_outcome;

enum { DL_NO_PROBABILITIES = -1 };

/* The argmax of a row (the first, if tied), or by the threshold. */
int dl_predicted_class(const dl_outcome *outcome, int64_t row);
/* -ln p of the true class; p is clamped to 1e-38. */
double dl_log_loss(const dl_outcome *outcome, int64_t row);
/* Writes probability[classes] of a row. link must not be DL_NO_PROBABILITIES. */
void dl_class_probabilities(const dl_outcome *outcome, int64_t row, double *probability);
/* Writes score[classes] of a row: log odds for softmax, else outputs. */
void dl_class_scores(const dl_outcome *outcome, int64_t row, float *score);
/* The mean of number[count] weighted by the softmax of logits[count]. */
double dl_expected_value(const float *logits, const double *number, int count);

#endif
