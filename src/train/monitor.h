/* SPDX-License-Identifier: MIT */
/* A column of the history that something watches: early stopping, the schedule "plateau". */
#ifndef DL_TRAIN_MONITOR_H
#define DL_TRAIN_MONITOR_H

#include "train/row.h"

/* Whether what early stopping and the schedule watch are columns of the history, of which these
   metrics are some: 0, or -1 and errors. */
int dl_monitors_check(dl_experiment *experiment, const char *const *metrics, int count,
                      dl_error *error);
/* The column's value in a row, and whether more is better. */
double dl_monitor_value(const dl_experiment *experiment, const char *name, const dl_row *row,
                        bool *higher);

#endif
