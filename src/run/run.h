/* SPDX-License-Identifier: MIT */
/* A run's folder: its name, its history, its log. */
#ifndef DL_RUN_RUN_H
#define DL_RUN_RUN_H

#include "base/terminal.h"
#include "model/model.h"

typedef struct {
    char *folder;      /* owned */
    int history, lock; /* open files */
    char *replaces;    /* the folder of an older run that dl_run_install replaces; NULL: none */
    int replaced_lock;
} dl_run;

/* Creates the folder: `out`, or runs/NAME, runs/NAME.2, … An existing `out` that is not empty is
   refused unless `force`, which replaces the run in it: now, or if that run has weights, by
   dl_run_install, and until then the new run is in a hidden folder beside it. Writes
   config.cfg, split.csv and the line `header` of history.csv, opens log.txt, and points runs/latest
   to the folder, which is locked until dl_run_close. `run` is all zero; call dl_run_close also
   after a failure. */
int dl_run_create(dl_run *run, dl_terminal *terminal, const dl_model *model, const char *header,
                  const char *out, bool force, dl_error *error);
/* Replaces the older run by this one, which has its first checkpoint; sets run->folder. */
int dl_run_install(dl_run *run, dl_error *error);
/* Checks that `path` is a run's folder, to resume: 0, or -1 and an error. */
int dl_run_check_resumable(const char *path, dl_error *error);
/* Reopens the folder of a run to resume it: keeps the history's rows up to `epoch`, restores those
   that are missing from `rows`, the lines in the checkpoint, and rewrites config.cfg. */
int dl_run_reopen(dl_run *run, dl_terminal *terminal, const char *folder, const dl_model *model,
                  const char *header, int64_t epoch, const char *rows, dl_error *error);
/* Appends a line, with its newline, to the history, completely or not at all. */
int dl_run_add_row(dl_run *run, const char *line, dl_error *error);
/* folder/name; freed by the caller. */
char *dl_run_path(const dl_run *run, const char *name);
void dl_run_close(dl_run *run);

/* The checkpoint that `path` refers to: itself if it is a file; in a run's folder best.safetensors,
   or last.safetensors if `last` or if there is no best one. Freed by the caller; NULL and an error.
 */
char *dl_run_find_checkpoint(const char *path, bool last, dl_error *error);

#endif
