/* SPDX-License-Identifier: MIT */
/* Keeps a run's checkpoints, best.safetensors and last.safetensors. Where an epoch takes
   milliseconds a file an epoch would take longer than the training: then they are held in memory,
   and written once a second and at the end. A run that is killed loses at most that second. */
#ifndef DL_RUN_CHECKPOINT_WRITER_H
#define DL_RUN_CHECKPOINT_WRITER_H

#include "run/checkpoint.h"

enum { DL_CHECKPOINT_BEST, DL_CHECKPOINT_LAST, DL_CHECKPOINTS };

/* A checkpoint that is not written yet; bytes NULL: none. */
typedef struct {
    char *bytes; /* owned */
    size_t size;
} dl_pending_checkpoint;

typedef struct {
    const char *folder; /* the run's; this and what follows is borrowed */
    const dl_model *model;
    int history; /* the open file of the rows that the checkpoints count; 0: none */
    dl_pending_checkpoint held[DL_CHECKPOINTS];
    double written; /* when; 0: never */
} dl_checkpoint_writer;

/* At the end of an epoch: keeps the state as it is now, as the last one and, if it is, as the best
   one. 0, or -1 and an error. */
int dl_checkpoint_writer_add(dl_checkpoint_writer *writer, const dl_checkpoint_content *content,
                             bool is_best, dl_error *error);
/* Amid an epoch: what is held of the best one, and the state as it is now, go to the disk. */
int dl_checkpoint_writer_save(dl_checkpoint_writer *writer, const dl_checkpoint_content *content,
                              dl_error *error);
/* What is held goes to the disk: the best one first, since the last one knows which that is. */
int dl_checkpoint_writer_flush(dl_checkpoint_writer *writer, dl_error *error);
/* Frees what is held, without writing it. */
void dl_checkpoint_writer_close(dl_checkpoint_writer *writer);

#endif
