/* SPDX-License-Identifier: MIT */
/* The trainer: epochs, checkpoints, early stopping, resume. */
#ifndef DL_TRAIN_TRAINER_H
#define DL_TRAIN_TRAINER_H

#include <signal.h>

#include "inspect/training_check.h"
#include "train/row.h"
#include "train/stop.h"

typedef struct {
    const char *out;     /* the run's folder, or NULL: runs/NAME */
    bool force;          /* replace a run that is in it */
    const char *resume;  /* a run's folder to go on in, or NULL */
    bool dry_run;        /* everything but training */
    bool activations;    /* of a dry run: show what the layers make of some rows */
    bool gradients;      /* of a dry run: show how long those of the layers are */
    dl_checkup *checkup; /* of a dry run: where its findings go; NULL: it is not looked for any */
    bool find_rate;      /* only the learning rate is looked for */
    dl_stop stop;
    bool profile; /* take each layer's time, and print it at the end */
    int threads;
    const volatile sig_atomic_t *interrupted; /* becomes non-zero: end after this step */
    /* Called with every row of the history; may be NULL. */
    void (*on_row)(void *context, const dl_experiment *experiment, const dl_row *row);
    void *context;
} dl_train_options;

typedef struct {
    char *folder; /* the run's; owned by whoever called; NULL if none was made */
    bool interrupted, stopped_early;
    int64_t epochs;  /* complete */
    int64_t trained; /* complete, of this training */
    int64_t best_epoch;
    double best;            /* of the monitored column */
    double seconds;         /* of the training */
    double peak_operations; /* a second, in a matrix product; 0 without a profile */
} dl_train_result;

/* Trains what was read (not yet built). With `resume` the experiment was read from that run's
   checkpoint. 0, or -1 and an error: the checkpoints of the last whole epoch stay. */
int dl_train(dl_experiment *experiment, const dl_train_options *options, dl_terminal *terminal,
             dl_train_result *result, dl_error *error);

#endif
