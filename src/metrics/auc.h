/* SPDX-License-Identifier: MIT */
#ifndef DL_METRICS_AUC_H
#define DL_METRICS_AUC_H

#include "metrics/metric.h"

/* The area under the receiver operating characteristic of a class against the rest; NaN if there
   are no rows of it, or of the others, or if a score is NaN. */
double dl_auc_of_class(const dl_scored_rows *rows, int class);

#endif
