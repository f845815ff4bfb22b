/* SPDX-License-Identifier: MIT */
/* Writes the files of a run's folder: history, event files, checkpoints, facts. */
#ifndef DL_TRAIN_RECORDER_H
#define DL_TRAIN_RECORDER_H

#include "run/checkpoint_writer.h"
#include "run/facts.h"
#include "run/run.h"
#include "run/tensorboard.h"
#include "train/trainer.h"

/* Where a run is written. */
typedef struct {
    const char *out;    /* the folder, or NULL: runs/NAME */
    bool force;         /* replace a run that is already there */
    const char *resume; /* the folder of a run to resume, or NULL */
} dl_run_location;

/* Set terminal and location; all else is zero. */
typedef struct {
    dl_terminal *terminal; /* whose log goes into the folder; borrowed */
    dl_run_location location;
    dl_run run;
    dl_tensorboard board;
    dl_checkpoint_writer writer;
    dl_facts facts; /* of a resumed run: those of its first start */
} dl_recorder;

/* For a dl_listener: creates the run's folder when a training starts, or reopens it on resume. */
int dl_recorder_on_event(void *recorder, const dl_event *event, dl_error *error);
void dl_recorder_close(dl_recorder *recorder);

#endif
