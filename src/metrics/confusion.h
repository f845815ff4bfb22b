/* SPDX-License-Identifier: MIT */
#ifndef DL_METRICS_CONFUSION_H
#define DL_METRICS_CONFUSION_H

#include "metrics/metric.h"

typedef struct {
    int classes;
    int64_t *count; /* [true class][predicted class]; owned */
} dl_confusion;

dl_confusion dl_confusion_new(int classes);
void dl_confusion_free(dl_confusion *confusion);
/* A dl_observer: `context` is a dl_confusion. */
void dl_confusion_add(void *context, const dl_outcome *outcome);

dl_class_count dl_confusion_count(const dl_confusion *confusion, int class);

typedef struct {
    int truth, predicted;
    int64_t count;
} dl_misclassification;
/* Writes the up to `max` most frequent misclassifications to `out`, most frequent first. Returns
   their number. */
int dl_confusion_misclassified(const dl_confusion *confusion, int max, dl_misclassification *out);

#endif
