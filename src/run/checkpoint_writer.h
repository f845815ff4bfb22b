/* SPDX-License-Identifier: MIT */
/* Keeps a run's checkpoints, best.safetensors and last.safetensors. Where an epoch takes
   milliseconds a file an epoch would take longer than the training: then they are held in memory,
   and written once a second and at the end. A run that is killed loses at most that second. */
#ifndef DL_RUN_CHECKPOINT_WRITER_H
#define DL_RUN_CHECKPOINT_WRITER_H

#include "run/checkpoint.h"

enum { DL_KEPT_BEST, DL_KEPT_LAST, DL_KEPT };

/* A checkpoint that is not written yet; bytes NULL: none. */
typedef struct {
    char *bytes; /* owned */
    size_t size;
} dl_held;

typedef struct {
    const char *folder; /* the run's; this and what follows is borrowed */
    const dl_model *model;
    int history; /* the open file of the rows that the checkpoints count; 0: none */
    dl_held held[DL_KEPT];
    double written; /* when; 0: never */
} dl_keeper;

/* At the end of an epoch: keeps the state as it is now, as the last one and, if it is, as the best
   one. 0, or -1 and an error. */
int dl_keeper_keep(dl_keeper *keeper, const dl_content *content, bool is_best, dl_error *error);
/* Amid an epoch: what is held of the best one, and the state as it is now, go to the disk. */
int dl_keeper_save(dl_keeper *keeper, const dl_content *content, dl_error *error);
/* What is held goes to the disk: the best one first, since the last one knows which that is. */
int dl_keeper_flush(dl_keeper *keeper, dl_error *error);
/* Frees what is held, without writing it. */
void dl_keeper_close(dl_keeper *keeper);

#endif
