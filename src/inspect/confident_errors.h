/* SPDX-License-Identifier: MIT */
/* The mistakes of which a net is surest. */
#ifndef DL_INSPECT_CONFIDENT_ERRORS_H
#define DL_INSPECT_CONFIDENT_ERRORS_H

#include "metrics/metric.h"

enum { DL_CONFIDENT_ERRORS = 24 };

typedef struct {
    int64_t row; /* how many rows came before it in the evaluation */
    int truth, predicted;
    double sure; /* the probability of the predicted class, or, where there are none, its score */
} dl_confident_error;

typedef struct {
    dl_confident_error list[DL_CONFIDENT_ERRORS]; /* [count], the surest first */
    int count;
    int64_t rows;        /* seen so far */
    double *probability; /* [classes], owned */
} dl_confident_errors;

/* A dl_observer: `context` is the dl_confident_errors, all zero at first. Numbers are passed over.
 */
void dl_confident_errors_add(void *context, const dl_outcome *outcome);
void dl_confident_errors_free(dl_confident_errors *mistakes);

#endif
