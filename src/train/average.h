/* SPDX-License-Identifier: MIT */
/* Averages of the weights over the training, which are measured and tested in their place. */
#ifndef DL_TRAIN_AVERAGE_H
#define DL_TRAIN_AVERAGE_H

#include "data/loader.h"
#include "train/experiment.h"

extern const char *const dl_average_names[]; /* in the order of the following, then NULL */
enum { DL_AVERAGE_EMA, DL_AVERAGE_SWA };

typedef struct {
    bool wanted; /* else all of the rest is zero */
    int kind;
    int64_t count;          /* how many weights it is made of: steps (ema), epochs (swa) */
    float *weights, *state; /* [weights], [states], owned; what is DL_CARRIED is not looked at. The
                               average's or, while that is in the net, the training's own */
    bool in_net;            /* the average is in the net */
} dl_average;

void dl_average_open(dl_average *average, const dl_experiment *experiment);
void dl_average_close(dl_average *average);
/* After a step: takes its weights in, if it is of steps. */
void dl_average_step(dl_average *average, const dl_experiment *experiment);
/* After the last step of epoch number `epoch` (from 0): takes its weights in, if it is of epochs,
   and puts itself into the net. Where there are running statistics it goes over the training part
   once, so that they fit it. 0, or -1 and an error of the data. */
int dl_average_end_epoch(dl_average *average, dl_experiment *experiment, dl_loader *train,
                         int64_t epoch, dl_error *error);
/* The average goes into the net, if there is one yet; or the weights of the training back. */
void dl_average_swap_in(dl_average *average, const dl_experiment *experiment);
void dl_average_swap_out(dl_average *average, const dl_experiment *experiment);

#endif
