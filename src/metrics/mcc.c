/* SPDX-License-Identifier: MIT */
/* Matthews, "Comparison of the predicted and observed secondary structure of T4 phage lysozyme",
   1975, for any number of classes as Gorodkin, "Comparing two K-category assignments by a
   K-category correlation coefficient", 2004: of N rows, n of which are right, of class k t_k and
   predicted p_k,
     mcc = (n N - sum t_k p_k) / sqrt((N^2 - sum p_k^2) (N^2 - sum t_k^2)). */
#include <math.h>

#include "metrics/metric.h"

static double mcc(const dl_class_count *count, int classes) {
    double rows = 0, right = 0, both = 0, truth = 0, predicted = 0;
    for (int c = 0; c < classes; c++) {
        double t = (double)count[c].rows, p = (double)count[c].predicted;
        rows += t;
        right += (double)count[c].right;
        both += t * p;
        truth += t * t;
        predicted += p * p;
    }
    double spread = (rows * rows - predicted) * (rows * rows - truth);
    if (spread > 0)
        return (right * rows - both) / sqrt(spread);
    return rows > 0 ? 0 : NAN;
}

const dl_metric dl_metric_mcc = {
    .name = "mcc",
    .help =
        "Matthews' correlation coefficient of the predicted and the true classes: 1 is perfect, "
        "0 no better than chance; not misled by classes of very different sizes. 0 if only "
        "one class is predicted",
    .for_classes = true,
    .higher_is_better = true,
    .on_demand = true,
    .of_counts = mcc,
};
