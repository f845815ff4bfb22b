/* SPDX-License-Identifier: MIT */
/* The most confident errors of a net. */
#ifndef DL_INSPECT_CONFIDENT_ERRORS_H
#define DL_INSPECT_CONFIDENT_ERRORS_H

#include "metrics/metric.h"

enum { DL_CONFIDENT_ERRORS = 24 };

typedef struct {
    int64_t row; /* its position in the evaluation, from 0 */
    int truth, predicted;
    double confidence; /* probability of the predicted class, or its score if there are none */
} dl_confident_error;

typedef struct {
    dl_confident_error list[DL_CONFIDENT_ERRORS]; /* [count], the most confident first */
    int count;
    int64_t rows;        /* seen so far */
    double *probability; /* [classes], owned */
} dl_confident_errors;

/* A dl_observer: `context` is a dl_confident_errors, initially all zero. Ignores numbers. */
void dl_confident_errors_add(void *context, const dl_outcome *outcome);
void dl_confident_errors_free(dl_confident_errors *errors);

#endif
