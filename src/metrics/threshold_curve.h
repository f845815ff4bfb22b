/* SPDX-License-Identifier: MIT */
/* Curves over the threshold of one class against the others, and calibration. */
#ifndef DL_METRICS_THRESHOLD_CURVE_H
#define DL_METRICS_THRESHOLD_CURVE_H

#include "metrics/metric.h"

/* Point 0 predicts nothing; point k all rows with score >= threshold[k], descending; ties are one
   point. */
typedef struct {
    int64_t count, positive, negative;
    double *threshold, *false_rate, *recall, *precision; /* [count]; one block of memory */
    double average_precision; /* sum of precision · increase of recall */
} dl_threshold_curve;

/* Of the second of two classes, or a class against the others. count 0: one side has no rows, or a
   score is NaN. The caller frees threshold. */
dl_threshold_curve dl_threshold_curve_new(const dl_scored_rows *rows, int class);

enum { DL_CALIBRATION_BINS = 10 };
typedef struct {
    int64_t rows[DL_CALIBRATION_BINS];
    double predicted[DL_CALIBRATION_BINS], observed[DL_CALIBRATION_BINS]; /* means */
    double error; /* expected calibration error: Guo et al., ICML 2017 */
} dl_calibration;

/* Of the second of two classes; of more, of the predicted class. `link` as of a dl_outcome. */
dl_calibration dl_calibration_new(const dl_scored_rows *rows, int link);
/* The probability of a score (dl_class_scores). */
double dl_score_probability(double score, int link);

#endif
