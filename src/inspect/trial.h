/* SPDX-License-Identifier: MIT */
/* Short trainings of a net on a few rows, to find out whether it can learn at all: each begins with
   the same weights, and leaves the experiment as it was. */
#ifndef DL_INSPECT_TRIAL_H
#define DL_INSPECT_TRIAL_H

#include "base/terminal.h"
#include "train/update.h"

/* Rows of the training part, not augmented; owned. */
typedef struct {
    float *x, *y, *number; /* as in a dl_batch; number NULL: there are no bins */
    int64_t count;
} dl_trial_rows;

typedef struct {
    dl_experiment *e;     /* the one in use: `given`, or `plain` */
    dl_experiment *given; /* borrowed */
    dl_experiment plain;  /* shares its model's memory */
    dl_outcome_buffers outcome_buffers;
    dl_update update;
    dl_progress progress;
    float *weights, *states; /* as they were; owned */
    dl_config config;        /* of adam */
    bool begun;
    double speed;    /* operations a second, of training */
    double deadline; /* on dl_clock() */
} dl_trial;

/* The experiment is built for training and has its initial weights. */
int dl_trial_open(dl_trial *trial, dl_experiment *experiment, dl_error *error);
/* Back to the initial weights. plain: adam, no penalties, limits, dropout or noise; else as the
   config says, with the rate that steps are given. */
void dl_trial_begin(dl_trial *trial, bool plain);
/* Measures the speed on a batch, and sets the time for all trials. */
void dl_trial_time(dl_trial *trial, const dl_batch *batch, double seconds);
/* The mean loss of the batch before a step with that rate. */
double dl_trial_step(dl_trial *trial, const dl_batch *batch, double rate);
/* Only the mean loss, as in training, with the gradients if asked for. */
double dl_trial_loss(dl_trial *trial, const dl_batch *batch, bool gradients);
/* How many training steps of `rows` each, at most `most`, take about `seconds`, or half of what is
   left of the trial's time. Steps of 5e9 operations together are always allowed, so that
   what is said of a small network does not depend on the machine. */
int dl_trial_steps(const dl_trial *trial, int64_t rows, int most, double seconds);
void dl_trial_close(dl_trial *trial);

/* The first `most` rows of a pass in random order, fewer if they are large (128 MB, but at least a
   batch and 50 rows). -1 and an error of the data. */
int dl_trial_rows_read(dl_trial_rows *rows, const dl_experiment *experiment, dl_split part,
                       int64_t most, dl_error *error);
/* Rows first … as a batch of at most the net's. */
dl_batch dl_trial_batch(const dl_trial_rows *rows, const dl_experiment *experiment, int64_t first,
                        int64_t most);
/* The least mean loss that any outputs could have on these rows. */
double dl_trial_lowest_loss(const dl_trial *trial, const dl_trial_rows *rows);
void dl_trial_rows_free(dl_trial_rows *rows);

#endif
