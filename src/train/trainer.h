/* SPDX-License-Identifier: MIT */
/* The trainer: steps and epochs, from the start or from a checkpoint. Run folders, consoles and
   tests listen to its events. */
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
    const char *resume; /* folder of the run to resume, whose checkpoint the experiment was read
                           from; or NULL */
    int threads;
    bool profile;   /* measure the time of each layer */
    bool untrained; /* accept a net without trainable weights */
    dl_stop stop;
    const volatile sig_atomic_t *interrupted; /* non-zero: stop after this step; or NULL */
} dl_train_options;

typedef struct dl_trainer dl_trainer;

typedef enum {
    DL_EVENT_STARTED, /* before the first step */
    DL_EVENT_STEP,
    DL_EVENT_EPOCH, /* complete and evaluated; the net has the weights to save */
    DL_EVENT_SAVE,  /* within an epoch that was interrupted, or without any epoch */
    DL_EVENT_ENDED  /* successfully or not */
} dl_event_kind;

typedef struct {
    dl_event_kind kind;
    const dl_trainer *trainer;
    const dl_row *row; /* of DL_EVENT_EPOCH */
    bool best;         /* of DL_EVENT_EPOCH: the best epoch so far */
    dl_ending ending;  /* of DL_EVENT_ENDED */
} dl_event;

/* Listeners are called in the order of the list; -1 and an error end the training. At
   DL_EVENT_ENDED `error` may already have the training's error. */
typedef struct {
    int (*on_event)(void *context, const dl_event *event, dl_error *error);
    void *context;
} dl_listener;

struct dl_trainer {
    dl_experiment *e; /* borrowed */
    dl_train_options options;
    const dl_listener *listeners; /* [listener_count], borrowed */
    int listener_count;
    dl_loader *train, *validation; /* validation may be NULL */
    dl_outcome_buffers outcome_buffers;
    dl_update update;
    dl_full_batch full_batch; /* of a full-batch optimizer */
    dl_average average;
    dl_progress progress;
    dl_training_state state; /* the parts of these that checkpoints store */
    dl_transfer transfer;
    dl_lsuv lsuv;
    dl_text edited; /* of a resumed run: differences of its config.cfg from the checkpoint */
    dl_text note;   /* the optimizer's warning about the problem */
    double expected_loss,
        initial_loss; /* at initialization, predicted and observed; NaN: unknown */
    int (*train_epoch)(dl_trainer *trainer, dl_error *error);
    double rate;             /* learning rate of this epoch's first step, for the history */
    double phase[DL_PHASES]; /* seconds in this epoch */
    double epoch_started;
    int64_t epoch_first_step; /* of this epoch since dl_trainer_open */
    double update_seconds;    /* of all epochs */
    int64_t steps, samples;   /* since dl_trainer_open */
};

/* Opens the data of an experiment that was read, builds the net and initializes its weights: drawn,
   loaded from another checkpoint, or those of the run to resume. 0, or -1 and an error; call
   dl_trainer_close after either. */
int dl_trainer_open(dl_trainer *trainer, dl_experiment *experiment, const dl_train_options *options,
                    dl_error *error);
/* One step of minibatch training: forward, backward, update. */
int dl_trainer_step(dl_trainer *trainer, const dl_batch *batch, double rate, dl_error *error);
/* The remaining steps of an epoch, and its evaluation. 1: interrupted before its end. */
int dl_trainer_epoch(dl_trainer *trainer, dl_error *error);
bool dl_trainer_is_done(const dl_trainer *trainer);
bool dl_trainer_has_stopped_early(const dl_trainer *trainer);
void dl_trainer_close(dl_trainer *trainer);

typedef struct {
    bool interrupted, stopped_early;
    int64_t epochs;  /* complete */
    int64_t trained; /* complete, since dl_trainer_open */
    int64_t best_epoch;
    double best;    /* of the monitored column */
    double seconds; /* spent training */
} dl_train_result;

/* A whole training: open, every epoch, close. */
int dl_train(dl_experiment *experiment, const dl_train_options *options,
             const dl_listener *listeners, int listener_count, dl_train_result *result,
             dl_error *error);

#endif
