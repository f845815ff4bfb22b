/* A column of the history that something watches: early stopping, the schedule "plateau". */
#ifndef DL_TRAIN_MONITOR_H
#define DL_TRAIN_MONITOR_H

#include "train/run.h"

/* Whether `name` is a column of the history, of which these metrics are some: 0, or -1 and an error
   at the key `monitor` of `group`, which belongs to `watcher` ("early_stopping"). */
int dl_monitor_check(dl_experiment *experiment, const char *watcher, const char *name,
                     config_setting_t *group, const char *const *metrics, int count,
                     dl_error *error);
/* The column's value in a row, and whether more is better. */
double dl_monitor_value(const dl_experiment *experiment, const char *name, const dl_row *row,
                        bool *higher);

#endif
