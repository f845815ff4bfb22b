/* SPDX-License-Identifier: MIT */
/* A run that replaces another one. It is written to a hidden folder beside the older run, and both
   folders are exchanged: a program that is killed leaves one of the runs, whole. The next one that
   has locked the run's folder removes the rest. */
#ifndef DL_RUN_REPLACEMENT_H
#define DL_RUN_REPLACEMENT_H

#include <stdint.h>

#include "base/error.h"

/* The files of a run: those that it starts with, then its results, the last checkpoint last. */
enum { DL_RUN_FILES = 7, DL_RUN_FIRST_RESULT = 4 };
extern const char *const dl_run_files[DL_RUN_FILES];

/* Removes the files of a run, from the last one in the list to number `first`, and event files and
   kept epochs. */
void dl_run_remove_files(const char *folder, int first);

/* Checkpoints of training.checkpoint_every: "folder/epoch_0012.safetensors", freed by the caller.
 */
char *dl_run_epoch_path(const char *folder, int64_t epoch);
/* The epochs kept in a folder, ascending, freed by the caller. */
int64_t *dl_run_epochs(const char *folder, int *count);
/* Removes those after `epoch`. */
void dl_run_remove_epochs(const char *folder, int64_t epoch);

/* Creates the hidden folder beside an existing one; freed by the caller. NULL: that folder cannot
   be exchanged (a mount point, the current folder, a read-only parent). */
char *dl_replacement_create(const char *folder);
/* Exchanges both, and removes the older run; files that are not of a run stay in the folder. */
int dl_replacement_install(const char *hidden, const char *folder, dl_error *error);
/* Removes hidden folders beside `folder`, which is locked. */
void dl_replacement_clean(const char *folder);
/* On file systems that cannot exchange folders, a run that was moved away and not replaced is moved
   back. */
void dl_replacement_restore(const char *folder);

#endif
