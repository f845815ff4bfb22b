/* SPDX-License-Identifier: MIT */
/* The results of a run, from its folder: config and progress from the last checkpoint, losses and
   metrics from the history. */
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
    bool higher;      /* higher is better */
    double best;      /* NaN: no value */
    int64_t epoch;    /* of the best value; 0: none */
} dl_best;

typedef struct {
    dl_arena arena;
    const char *run; /* the path; borrowed */
    dl_leaf *leaves;
    int leaf_count;
    dl_best *columns;
    int column_count;
    int64_t epochs, epochs_wanted; /* complete; requested by the config or `stop` */
    const char *monitor;           /* the column that selects the best checkpoint */
    double best;                   /* its value; NaN: none */
    int64_t best_epoch;            /* 0: none yet */
    bool finished;                 /* all epochs are complete, or it stopped early */
    bool stopped_early;
    double seconds; /* of its epochs */
    int64_t parameters;
} dl_summary;

/* Reads the progress from the last checkpoint; `stop` (or NULL) may request fewer epochs than the
   config. 0, or -1 and an error; call dl_summary_free after either. */
int dl_summary_read_progress(dl_summary *summary, const char *run, const dl_stop *stop,
                             dl_error *error);
/* Reads everything; of the history only the epochs up to `stop`. */
int dl_summary_read(dl_summary *summary, const char *run, const dl_stop *stop, dl_error *error);
void dl_summary_free(dl_summary *summary);

/* The value at a path, or NULL. */
const char *dl_summary_value(const dl_summary *summary, const char *path);
/* A column of the history by its name, or NULL. */
const dl_best *dl_summary_column(const dl_summary *summary, const char *name);

#endif
