/* SPDX-License-Identifier: MIT */
/* The loss over the whole training part as a function of the trained parameters, in double: what an
   full-batch optimizer is given. The penalties l1 and l2 are part of it; the passes are those
   of training, in the order in which the rows are stored, so that the same parameters give the same
   bits. What makes the loss another one at every pass (dropout, batch_norm, …) is refused. */
#ifndef DL_TRAIN_FULL_BATCH_H
#define DL_TRAIN_FULL_BATCH_H

#include "train/update.h"

/* All zero: the optimizer is none of these. */
typedef struct {
    dl_function f; /* the first: the optimizer hands it back */
    dl_experiment *e;
    dl_loader *loader;
    const dl_update *update; /* its spans: the trained parameters are theirs, one after the other */
    double *rows;            /* [most_rows][count], owned: of the Jacobian; NULL: it needs none */
    double *residual;        /* [most_rows], owned */
    double *work;            /* owned: the optimizer's */
    int64_t bytes;           /* of all these */
    dl_error *error;         /* borrowed: where trouble with the data goes */
} dl_full_batch;

/* Refuses, with an error of DL_USAGE, what does not go together with the optimizer; then allocates,
   also what it remembers, which is update's. Everything is borrowed; dl_full_batch_close is fine
   after a failure. */
int dl_full_batch_open(dl_full_batch *full_batch, dl_experiment *experiment, dl_loader *loader,
                       dl_update *update, dl_error *error);
/* Once the weights are there, or those of a run that goes on with what it remembers: can the
   optimizer minimize this? 0, and maybe a note for people; or -1 and an error. */
int dl_full_batch_begin(dl_full_batch *full_batch, bool resumed, dl_text *note, dl_error *error);
/* Iteration number t, from 1: moves the net's weights. Returns how much of the direction was gone.
   Trouble with the data is in the error that dl_full_batch_open was given. */
double dl_full_batch_iterate(dl_full_batch *full_batch, int64_t t);
void dl_full_batch_close(dl_full_batch *full_batch);

#endif
