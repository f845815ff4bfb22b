/* SPDX-License-Identifier: MIT */
/* The objective of a full-batch optimizer: the mean loss over the training part plus the penalties
   l1 and l2, as a function of the trained parameters, in double. Rows are visited in stored order,
   so the same parameters give the same bits. Whatever changes the loss between passes (dropout,
   batch_norm, …) is refused. */
#ifndef DL_TRAIN_FULL_BATCH_H
#define DL_TRAIN_FULL_BATCH_H

#include "train/update.h"

/* All zero: the optimizer is a first-order one. */
typedef struct {
    dl_function f; /* first member: callbacks get a pointer to it */
    dl_experiment *e;
    dl_loader *loader;
    const dl_update *update; /* its spans are the trained parameters */
    double *rows;            /* [most_rows][count], owned: of the Jacobian; NULL: not needed */
    double *residual;        /* [most_rows], owned */
    double *work;            /* owned: the optimizer's scratch */
    int64_t bytes;           /* memory of the state and these buffers */
    dl_error *error;         /* borrowed: receives errors of the data */
} dl_full_batch;

/* Refuses settings that the optimizer cannot work with (DL_USAGE), then allocates, including the
   optimizer state in `update`. Everything is borrowed. Call dl_full_batch_close also after a
   failure. */
int dl_full_batch_open(dl_full_batch *full_batch, dl_experiment *experiment, dl_loader *loader,
                       dl_update *update, dl_error *error);
/* Once the weights are initialized, or loaded from a run with its optimizer state. 0, and perhaps a
   warning in `note`; or -1 and an error if the optimizer cannot minimize this objective. */
int dl_full_batch_begin(dl_full_batch *full_batch, bool resumed, dl_text *note, dl_error *error);
/* Iteration t, from 1: updates the net's weights. Returns the step length as a fraction of the
   search direction. Errors of the data go to the error that dl_full_batch_open was given. */
double dl_full_batch_iterate(dl_full_batch *full_batch, int64_t t);
void dl_full_batch_close(dl_full_batch *full_batch);

#endif
