/* SPDX-License-Identifier: MIT */
/* Rows that a net gets wrong, barely right, or that may have a wrong label. */
#ifndef DL_INSPECT_MISTAKES_H
#define DL_INSPECT_MISTAKES_H

#include "model/evaluate.h"

typedef struct {
    int net;     /* from 0 */
    int64_t row; /* of its data set */
    int truth, predicted;
    double confidence; /* probability of the predicted class, or its score if there are none */
    double loss;       /* -ln of the true class's probability; NaN without probabilities */
} dl_judged_row;

typedef struct {
    dl_judged_row *row; /* [count], owned */
    int64_t count, room;
} dl_mistakes;

typedef struct {
    dl_mistakes *mistakes;
    const dl_subset *part; /* the rows that are evaluated, in order */
    int net;
    int64_t done;        /* rows so far */
    double *probability; /* [classes], owned */
} dl_mistakes_observer;

/* A dl_observer that adds the rows; `context` is a dl_mistakes_observer with its first three
   fields. */
void dl_mistakes_collect(void *context, const dl_outcome *outcome);
void dl_mistakes_observer_close(dl_mistakes_observer *observer);
/* Whether the rows of a model have one class each and are evaluated in the order of the data. */
bool dl_mistakes_apply(const dl_model *model);
/* Adds the rows of a split, judged by net number `net`. */
int dl_mistakes_add(dl_mistakes *mistakes, dl_model *model, dl_split split, int net,
                    dl_error *error);
/* Errors first, the most confident ones first; then hits, the least confident first. Returns the
   number of errors. */
int64_t dl_mistakes_sort(dl_mistakes *mistakes);
/* By loss, the largest first. */
void dl_mistakes_sort_by_loss(dl_mistakes *mistakes);
void dl_mistakes_free(dl_mistakes *mistakes);

#endif
