/* SPDX-License-Identifier: MIT */
/* Trials: short trainings of a net on a few rows, to test whether it can learn. Each starts from
   the same weights, and the experiment is restored afterwards. */
#ifndef DL_INSPECT_TRIAL_H
#define DL_INSPECT_TRIAL_H

#include "base/terminal.h"
#include "train/update.h"

/* Rows of the training part, not augmented; owned. */
typedef struct {
    float *x, *y, *number; /* as in a dl_batch; number NULL: no bins */
    float *weight;         /* or NULL */
    int64_t count;
} dl_trial_rows;

typedef struct {
    dl_experiment *e;     /* the one in use: `given`, or `plain` */
    dl_experiment *given; /* borrowed */
    dl_experiment plain;  /* shares its model's memory */
    dl_outcome_buffers outcome_buffers;
    dl_update update;
    dl_progress progress;
    float *weights, *states; /* initial ones; owned */
    dl_config config;        /* of adam */
    bool begun;
    double speed;    /* operations per second of training */
    double deadline; /* in dl_clock() time */
} dl_trial;

/* The experiment is built for training and has its initial weights. */
int dl_trial_open(dl_trial *trial, dl_experiment *experiment, dl_error *error);
/* Resets to the initial weights. plain: adam without penalties, constraints, dropout or noise; else
   as configured, but with the learning rate of each call. */
void dl_trial_begin(dl_trial *trial, bool plain);
/* Measures the speed on a batch, and sets the time limit of all trials. */
void dl_trial_time(dl_trial *trial, const dl_batch *batch, double seconds);
/* Takes a step with this learning rate; returns the mean loss of the batch before it. */
double dl_trial_step(dl_trial *trial, const dl_batch *batch, double rate);
/* The mean loss in training mode; also computes the gradients if asked to. */
double dl_trial_loss(dl_trial *trial, const dl_batch *batch, bool gradients);
/* The number of training steps of `rows` rows, at most `most`, that take about `seconds` or half of
   the remaining time. At least 5e9 operations are always allowed, so that results for small
   networks do not depend on the machine. */
int dl_trial_steps(const dl_trial *trial, int64_t rows, int most, double seconds);
void dl_trial_close(dl_trial *trial);

/* Reads the first `most` rows of a pass in training order, fewer if they are large (128 MB, but at
   least one batch and 50 rows). 0, or -1 and an error of the data. */
int dl_trial_rows_read(dl_trial_rows *rows, const dl_experiment *experiment, dl_split part,
                       int64_t most, dl_error *error);
/* The rows from `first` as a batch of at most `most` rows and the net's batch size. */
dl_batch dl_trial_batch(const dl_trial_rows *rows, const dl_experiment *experiment, int64_t first,
                        int64_t most);
/* The lowest mean loss that any outputs could have on these rows. */
double dl_trial_lowest_loss(const dl_trial *trial, const dl_trial_rows *rows);
void dl_trial_rows_free(dl_trial_rows *rows);

#endif
