/* SPDX-License-Identifier: MIT */
/* A monitored column of the history: for early stopping, the schedule "plateau". */
#ifndef DL_TRAIN_MONITOR_H
#define DL_TRAIN_MONITOR_H

#include "train/row.h"

/* Checks that early stopping and the schedule monitor columns of the history, which has these
   metrics: 0, or -1 and errors. */
int dl_monitors_check(dl_experiment *experiment, const char *const *metrics, int count,
                      dl_error *error);
/* The column's value in a row, and whether higher is better. */
double dl_monitor_value(const dl_experiment *experiment, const char *name, const dl_row *row,
                        bool *higher);

#endif
