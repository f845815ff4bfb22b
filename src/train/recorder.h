/* SPDX-License-Identifier: MIT */
/* Writes what a training leaves behind into its run's folder: history, event files, checkpoints. */
#ifndef DL_TRAIN_RECORDER_H
#define DL_TRAIN_RECORDER_H

#include "run/checkpoint_writer.h"
#include "run/facts.h"
#include "run/run.h"
#include "run/tensorboard.h"
#include "train/row.h"
#include "train/training_state.h"

/* Where a run goes. */
typedef struct {
    const char *out;    /* the folder, or NULL: runs/NAME */
    bool force;         /* replaces a run that is in it */
    const char *resume; /* the folder of a run to continue, or NULL */
} dl_run_place;

/* All zero: none is open. */
typedef struct {
    dl_run run;
    dl_tensorboard board;
    dl_keeper keeper;
    dl_facts facts; /* of a resumed run those that were written when it began */
} dl_recorder;

/* Creates the run's folder, or reopens it after `epoch` epochs; the terminal's log goes there. 0,
   or -1 and an error; dl_recorder_close is fine after either. */
int dl_recorder_open(dl_recorder *recorder, dl_terminal *terminal, const dl_experiment *experiment,
                     const dl_run_place *place, int64_t epoch, dl_error *error);
/* At the end of an epoch; `best`: its weights are the best so far. */
int dl_recorder_add_epoch(dl_recorder *recorder, const dl_experiment *experiment, const dl_row *row,
                          const dl_training_state *state, bool best, dl_error *error);
/* Amid an epoch. */
int dl_recorder_save(dl_recorder *recorder, const dl_experiment *experiment,
                     const dl_training_state *state, dl_error *error);
/* Writes facts.json. */
int dl_recorder_write_facts(const dl_recorder *recorder, dl_error *error);
/* Writes how the run has ended: as `ending` says, or with the error that there is. */
int dl_recorder_end(dl_recorder *recorder, dl_ending ending, dl_error *error);
void dl_recorder_close(dl_recorder *recorder);

#endif
