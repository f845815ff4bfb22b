/* SPDX-License-Identifier: MIT */
/* Ensembles: several nets whose predictions are averaged, or that vote. */
#ifndef DL_MODEL_ENSEMBLE_H
#define DL_MODEL_ENSEMBLE_H

#include "model/evaluate.h"

/* A net with its data, built with the batch size of the other members. Model and name are borrowed.
 */
typedef struct {
    dl_model *model;
    const char *name;           /* the checkpoint's path, for messages */
    dl_accumulator accumulator; /* of its own metrics; opened and closed by the caller */
} dl_member;

typedef struct {
    dl_member *member;
    int count;
    dl_split split;
    bool vote; /* else the mean of probabilities, or of numbers in the units of the data */
} dl_ensemble;

/* Checks that all members predict the same targets: classes with the same names, or the same number
   of numbers (bins count as numbers). Architectures and inputs may differ. 0, or -1 and an error
   that names two members. */
int dl_ensemble_check(const dl_ensemble *ensemble, dl_error *error);
/* The number of classes of the predictions; 0: numbers. */
int dl_ensemble_classes(const dl_ensemble *ensemble);
/* The link of the combined predictions, as in a dl_outcome. */
int dl_ensemble_link(const dl_ensemble *ensemble);
/* Runs every row of the part through every net, adds to the members' accumulators, and calls
   `observer` with the combined predictions. *rows: samples. 0, or -1 and an error, also if the
   members' rows differ. */
int dl_ensemble_evaluate(dl_ensemble *ensemble, dl_observer observer, void *context, int64_t *rows,
                         dl_error *error);

#endif
