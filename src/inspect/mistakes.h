/* SPDX-License-Identifier: MIT */
/* The mistakes of which a net is surest. */
#ifndef DL_INSPECT_MISTAKES_H
#define DL_INSPECT_MISTAKES_H

#include "metrics/metric.h"

enum { DL_SURE_MISTAKES = 24 };

typedef struct {
    int64_t row; /* how many rows came before it in the evaluation */
    int truth, predicted;
    double sure; /* the probability of the predicted class, or, where there are none, its score */
} dl_sure_mistake;

typedef struct {
    dl_sure_mistake list[DL_SURE_MISTAKES]; /* [count], the surest first */
    int count;
    int64_t rows;        /* seen so far */
    double *probability; /* [classes], owned */
} dl_mistakes;

/* A dl_observer: `context` is the dl_mistakes, all zero at first. Numbers are passed over. */
void dl_mistakes_add(void *context, const dl_outcome *outcome);
void dl_mistakes_free(dl_mistakes *mistakes);

#endif
