/* SPDX-License-Identifier: MIT */
/* Several nets that answer together: by the mean of their answers, or by the majority. */
#ifndef DL_MODEL_ENSEMBLE_H
#define DL_MODEL_ENSEMBLE_H

#include "model/evaluate.h"

/* A net with its data, built for batches of the same size as the others'; all of it is borrowed but
   the accumulator. */
typedef struct {
    dl_model *model;
    const char *name; /* for messages: the checkpoint's path */
    dl_accumulator
        accumulator; /* its own results; opened and closed by whoever owns the ensemble */
} dl_member;

typedef struct {
    dl_member *member;
    int count;
    dl_split split;
    bool vote; /* else the mean: of probabilities, or of numbers in the units of the data */
} dl_ensemble;

/* Whether the nets foretell the same: classes of the same names, or as many numbers (bins are
   numbers here). They may be other nets, with other encodings of the inputs. 0, or -1 and an error
   that names two of them. */
int dl_ensemble_check(const dl_ensemble *ensemble, dl_error *error);
/* The classes of what they answer together; 0: numbers. */
int dl_ensemble_classes(const dl_ensemble *ensemble);
/* What makes probabilities of it, as in a dl_outcome. */
int dl_ensemble_link(const dl_ensemble *ensemble);
/* Runs every row of the part forward through every net, adds to the members' tallies, and gives
   `observer` what they say together. *rows: samples. The rows must be the same: 0, or -1 and an
   error. */
int dl_ensemble_evaluate(dl_ensemble *ensemble, dl_observer observer, void *context, int64_t *rows,
                         dl_error *error);

#endif
