/* SPDX-License-Identifier: MIT */
/* What a run has come to, read from its folder alone: its config and how far it is from the last
   checkpoint, its losses and metrics from the history. */
#ifndef DL_INSPECT_SUMMARY_H
#define DL_INSPECT_SUMMARY_H

#include "train/trainer.h"

/* A value of the resolved config: "optimizer.learning_rate", "0.01". */
typedef struct {
    const char *path, *value;
} dl_leaf;

/* The best value of a column of the history. */
typedef struct {
    const char *name; /* "val_loss" */
    bool higher;      /* more of it is better */
    double best;      /* NaN: it never was a number */
    int64_t epoch;    /* of the best value; 0: none */
} dl_best;

typedef struct {
    dl_arena arena;
    const char *run; /* as it was named; borrowed */
    dl_leaf *leaves;
    int leaf_count;
    dl_best *columns;
    int column_count;
    int64_t epochs, epochs_wanted; /* complete; what the config (or `stop`) asks for */
    const char *monitor;           /* what chooses the best checkpoint */
    double best;                   /* of it; NaN: none */
    int64_t best_epoch;            /* 0: none yet */
    bool finished;                 /* all epochs are complete, or early stopping has ended it */
    bool stopped_early;
    double seconds; /* of its epochs */
    int64_t parameters;
} dl_summary;

/* How far the run is, from its last checkpoint; `stop` (may be NULL) may ask for fewer epochs than
   the config. 0, or -1 and an error; dl_summary_free is fine after either. */
int dl_summary_read_progress(dl_summary *summary, const char *run, const dl_stop *stop,
                             dl_error *error);
/* All of it; of the history no more than `stop` asks for. */
int dl_summary_read(dl_summary *summary, const char *run, const dl_stop *stop, dl_error *error);
void dl_summary_free(dl_summary *summary);

/* The value at a path, or NULL. */
const char *dl_summary_value(const dl_summary *summary, const char *path);
/* A column of the history by its name, or NULL. */
const dl_best *dl_summary_column(const dl_summary *summary, const char *name);

#endif
