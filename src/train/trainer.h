/* SPDX-License-Identifier: MIT */
/* The trainer: steps and epochs, from the first or from a checkpoint on. It knows its listeners
   only as such: files, screens and tests on_event of its events. */
#ifndef DL_TRAIN_TRAINER_H
#define DL_TRAIN_TRAINER_H

#include <signal.h>

#include "run/facts.h"
#include "train/full_batch.h"
#include "train/lsuv.h"
#include "train/row.h"
#include "train/stop.h"
#include "train/training_state.h"
#include "train/transfer.h"

typedef struct {
    const char *resume; /* a run's folder to continue, from whose checkpoint the experiment was
                           read, or NULL */
    int threads;
    bool profile;   /* measures the time of each layer */
    bool untrained; /* a net without trainable weights will do */
    dl_stop stop;
    const volatile sig_atomic_t *interrupted; /* becomes non-zero: end after this step; or NULL */
} dl_train_options;

typedef struct dl_trainer dl_trainer;

typedef enum {
    DL_EVENT_STARTED, /* before the first step */
    DL_EVENT_STEP,
    DL_EVENT_EPOCH, /* complete and measured; the weights are those to save */
    DL_EVENT_SAVE,  /* amid an epoch, which was interrupted, or without any */
    DL_EVENT_ENDED  /* whether or not it has failed */
} dl_event_kind;

typedef struct {
    dl_event_kind kind;
    const dl_trainer *trainer;
    const dl_row *row; /* of DL_EVENT_EPOCH */
    bool best;         /* of DL_EVENT_EPOCH: it is the best one so far */
    dl_ending ending;  /* of DL_EVENT_ENDED */
} dl_event;

/* Called in the order in which they are listed; -1 and an error end the training. At DL_EVENT_ENDED
   the error may be that of the training. */
typedef struct {
    int (*on_event)(void *context, const dl_event *event, dl_error *error);
    void *context;
} dl_listener;

struct dl_trainer {
    dl_experiment *e; /* borrowed */
    dl_train_options options;
    const dl_listener *listeners; /* [listener_count], borrowed */
    int listener_count;
    dl_loader *train, *validation; /* validation NULL: there is none */
    dl_outcome_buffers outcome_buffers;
    dl_update update;
    dl_full_batch full_batch; /* of a full-batch optimizer */
    dl_average average;
    dl_progress progress;
    dl_training_state state; /* of these */
    dl_transfer transfer;
    dl_lsuv lsuv;
    dl_text edited; /* of a resumed run: what its config.cfg says beside the checkpoint */
    dl_text note;   /* what the optimizer has to say of the problem */
    double expected_loss, initial_loss; /* of an untrained net, and observed; NaN: unknown */
    int (*train_epoch)(dl_trainer *trainer, dl_error *error);
    double rate;             /* that the history shows for this epoch */
    double phase[DL_PHASES]; /* seconds of this epoch */
    double epoch_started;
    int64_t epoch_first_step; /* of this epoch in this training */
    double update_seconds;    /* of all epochs */
    int64_t steps, samples;   /* of this training */
};

/* Opens the data of an experiment that was read, builds it, and gives it its first weights: drawn,
   taken from another checkpoint, or those of the run that is resumed. 0, or -1 and an error;
   dl_trainer_close is fine after either. */
int dl_trainer_open(dl_trainer *trainer, dl_experiment *experiment, const dl_train_options *options,
                    dl_error *error);
/* One step of minibatch training. */
int dl_trainer_step(dl_trainer *trainer, const dl_batch *batch, double rate, dl_error *error);
/* What is left of an epoch, measured. 1: interrupted before its end. */
int dl_trainer_epoch(dl_trainer *trainer, dl_error *error);
bool dl_trainer_is_done(const dl_trainer *trainer);
bool dl_trainer_has_stopped_early(const dl_trainer *trainer);
void dl_trainer_close(dl_trainer *trainer);

typedef struct {
    bool interrupted, stopped_early;
    int64_t epochs;  /* complete */
    int64_t trained; /* complete, of this training */
    int64_t best_epoch;
    double best;    /* of the monitored column */
    double seconds; /* of the training */
} dl_train_result;

/* All of it: open, every epoch, close. */
int dl_train(dl_experiment *experiment, const dl_train_options *options,
             const dl_listener *listeners, int listener_count, dl_train_result *result,
             dl_error *error);

#endif
