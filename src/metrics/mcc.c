/* SPDX-License-Identifier: MIT */
/* Matthews, "Comparison of the predicted and observed secondary structure of T4 phage lysozyme",
   1975, for any number of classes as Gorodkin, "Comparing two K-category assignments by a
   K-category correlation coefficient", 2004: with N rows, n of them correct, and t_k rows of class
   k, p_k predicted, mcc = (n N - sum t_k p_k) / sqrt((N^2 - sum p_k^2) (N^2 - sum t_k^2)). */
#include <math.h>

#include "metrics/metric.h"

static double mcc(const dl_class_count *count, int classes) {
    double rows = 0, correct = 0, both = 0, truth = 0, predicted = 0;
    for (int c = 0; c < classes; c++) {
        double t = (double)count[c].rows, p = (double)count[c].predicted;
        rows += t;
        correct += (double)count[c].correct;
        both += t * p;
        truth += t * t;
        predicted += p * p;
    }
    double spread = (rows * rows - predicted) * (rows * rows - truth);
    if (spread > 0)
        return (correct * rows - both) / sqrt(spread);
    return rows > 0 ? 0 : NAN;
}

const dl_metric dl_metric_mcc = {
    .name = "mcc",
    .help = "Matthews correlation coefficient of predicted and true classes: 1 is perfect, 0 no "
            "better than chance (or only one class is predicted); robust to imbalanced classes",
    .for_classes = true,
    .higher_is_better = true,
    .on_demand = true,
    .of_counts = mcc,
};
