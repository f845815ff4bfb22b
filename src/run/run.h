/* SPDX-License-Identifier: MIT */
/* A run's folder: its name, its history, its log. */
#ifndef DL_RUN_RUN_H
#define DL_RUN_RUN_H

#include "base/terminal.h"
#include "model/model.h"

typedef struct {
    char *folder;      /* owned */
    int history, lock; /* open files */
} dl_run;

/* Makes the folder: `out`, or runs/NAME, runs/NAME.2, … An existing `out` that is not empty is
   refused unless `force`: then the files of the run in it are replaced, its weights first. Writes
   config.cfg, begins history.csv with the line `header`, and log.txt, and points runs/latest to it.
   One dltrain at a time: the folder is locked until dl_run_close. `run` is all zero; dl_run_close
   is fine after a failure. */
int dl_run_create(dl_run *run, dl_terminal *terminal, const dl_model *model, const char *header,
                  const char *out, bool force, dl_error *error);
/* Whether `path` can be a run to go on with: 0, or -1 and an error. */
int dl_run_check_resumable(const char *path, dl_error *error);
/* Goes on in the folder of an earlier run: keeps the history's rows up to `epoch`, and
   rewrites config.cfg. */
int dl_run_reopen(dl_run *run, dl_terminal *terminal, const char *folder, const dl_model *model,
                  const char *header, int64_t epoch, dl_error *error);
/* Appends a line, with its newline, to the history: whole or not at all. */
int dl_run_add_row(dl_run *run, const char *line, dl_error *error);
/* folder/name; freed by the caller. */
char *dl_run_path(const dl_run *run, const char *name);
void dl_run_close(dl_run *run);

/* Which checkpoint `path` means: itself if it is a file; of a run's folder best.safetensors, or
   with `last` (or where there is no best one) last.safetensors. Freed by the caller; NULL and an
   error. */
char *dl_run_find_checkpoint(const char *path, bool last, dl_error *error);

#endif
