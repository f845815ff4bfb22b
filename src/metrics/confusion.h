/* SPDX-License-Identifier: MIT */
/* The confusion matrix and what follows from it. */
#ifndef DL_METRICS_CONFUSION_H
#define DL_METRICS_CONFUSION_H

#include "metrics/metric.h"

typedef struct {
    int classes;
    int64_t *count; /* [true class][predicted class], owned */
} dl_confusion;

dl_confusion dl_confusion_new(int classes);
void dl_confusion_free(dl_confusion *confusion);
/* A dl_observer: `context` is a dl_confusion. */
void dl_confusion_add(void *context, const dl_outcome *outcome);

/* Of one class; NaN where nothing was predicted (precision) or there is no row (recall). */
typedef struct {
    int64_t rows;
    double precision, recall, f1;
} dl_class_score;
dl_class_score dl_confusion_score(const dl_confusion *confusion, int class);

typedef struct {
    int truth, predicted;
    int64_t count;
} dl_mistake;
/* The most frequent mistakes, most frequent first: how many were written to out[0..most). */
int dl_confusion_mistakes(const dl_confusion *confusion, int most, dl_mistake *out);

#endif
