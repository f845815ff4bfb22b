/* SPDX-License-Identifier: MIT */
/* Writes best.safetensors and last.safetensors, at most once per second: where epochs take
   milliseconds, writing would take longer than training. In between, checkpoints are held in
   memory; a run that is killed loses at most that second. */
#ifndef DL_RUN_CHECKPOINT_WRITER_H
#define DL_RUN_CHECKPOINT_WRITER_H

#include "run/checkpoint.h"

enum { DL_CHECKPOINT_BEST, DL_CHECKPOINT_LAST, DL_CHECKPOINTS };

/* An encoded checkpoint that is not written yet; bytes NULL: none. */
typedef struct {
    char *bytes; /* owned */
    size_t size;
} dl_pending_checkpoint;

typedef struct {
    const char *folder; /* the run's; borrowed, as is the model */
    const dl_model *model;
    int history; /* the open file of the rows that the checkpoints count; 0: none */
    dl_pending_checkpoint held[DL_CHECKPOINTS];
    double written; /* dl_clock() of the last write; 0: never */
} dl_checkpoint_writer;

/* At the end of an epoch: saves the current state as the last checkpoint and, if is_best, as the
   best one, now or later. 0, or -1 and an error. */
int dl_checkpoint_writer_add(dl_checkpoint_writer *writer, const dl_checkpoint_content *content,
                             bool is_best, dl_error *error);
/* Within an epoch: writes a pending best checkpoint, and the current state as the last one. */
int dl_checkpoint_writer_save(dl_checkpoint_writer *writer, const dl_checkpoint_content *content,
                              dl_error *error);
/* Writes pending checkpoints: the best one first, since the last one refers to it. */
int dl_checkpoint_writer_flush(dl_checkpoint_writer *writer, dl_error *error);
/* Frees pending checkpoints without writing them. */
void dl_checkpoint_writer_close(dl_checkpoint_writer *writer);

#endif
