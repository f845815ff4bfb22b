/* SPDX-License-Identifier: MIT */
/* Averages of the weights over the training, which are evaluated and saved in their place. */
#ifndef DL_TRAIN_AVERAGE_H
#define DL_TRAIN_AVERAGE_H

#include "data/loader.h"
#include "train/experiment.h"

extern const char *const dl_average_names[]; /* in the order of DL_AVERAGE_…, then NULL */
enum { DL_AVERAGE_EMA, DL_AVERAGE_SWA };

typedef struct {
    bool wanted; /* else everything is zero */
    int kind;
    int64_t count;          /* steps (ema) or epochs (swa) in the average */
    float *weights, *state; /* [weights], [states], owned; DL_CARRIED states are ignored. The
                               average or, while that is in the net, the raw weights */
    bool in_net;            /* the average is in the net */
} dl_average;

void dl_average_open(dl_average *average, const dl_experiment *experiment);
void dl_average_close(dl_average *average);
/* After a step: updates an ema. */
void dl_average_step(dl_average *average, const dl_experiment *experiment);
/* After the last step of epoch `epoch` (from 0): updates an swa, and swaps the average into the
   net. Running statistics are recomputed for an swa, in one pass over the training part. 0, or -1
   and an error of the data. */
int dl_average_end_epoch(dl_average *average, dl_experiment *experiment, dl_loader *train,
                         int64_t epoch, dl_error *error);
/* Swaps the average, if there is one yet, into the net; or the raw weights back. */
void dl_average_swap_in(dl_average *average, const dl_experiment *experiment);
void dl_average_swap_out(dl_average *average, const dl_experiment *experiment);

#endif
