/* SPDX-License-Identifier: MIT */
/* Tables for people: before the first epoch, and one row per epoch. */
#ifndef DL_REPORT_REPORT_H
#define DL_REPORT_REPORT_H

#include "base/terminal.h"
#include "train/lsuv.h"
#include "train/row.h"
#include "train/transfer.h"

/* Sizes and class counts of the parts, and the accuracy of the most frequent class. */
void dl_report_data(dl_terminal *terminal, const dl_experiment *experiment);
/* What the columns of tables have become and what the formats noted, at most `most` lines each; the
   cache files in use, their sizes, and what could not be cached. */
void dl_report_files(dl_terminal *terminal, const dl_data *data, int64_t most);
/* One line per problem found in the data. */
void dl_report_warnings(dl_terminal *terminal, const dl_experiment *experiment);
/* A warning about biases that have no effect. */
void dl_report_biases(dl_terminal *terminal, const dl_experiment *experiment);
/* One row per layer: name, type, output shape, parameters, auxiliary head; then the heads' losses.
 */
void dl_report_network(dl_terminal *terminal, const dl_experiment *experiment);
/* The memory plan; `vector_bytes`: of the optimizer and the average, `batch_bytes`: of the loaders.
 */
void dl_report_memory(dl_terminal *terminal, const dl_experiment *experiment, int64_t vector_bytes,
                      int64_t batch_bytes);
/* Which tensors were loaded from training.init_from, and which were not. */
void dl_report_transfer(dl_terminal *terminal, const dl_transfer *transfer);
/* Layers that are frozen in the first epochs. */
void dl_report_frozen(dl_terminal *terminal, const dl_experiment *experiment);
/* The factors of lsuv. */
void dl_report_lsuv(dl_terminal *terminal, const dl_lsuv *lsuv);
/* The average of the weights. */
void dl_report_average(dl_terminal *terminal, const dl_experiment *experiment);
/* The heading and a row of the epochs' table: all columns in the log; on the terminal those that
   fit, if `shown`. */
void dl_report_heading(dl_terminal *terminal, const dl_experiment *experiment);
void dl_report_row(dl_terminal *terminal, const dl_experiment *experiment, const dl_row *row,
                   bool is_best, bool shown);
/* Formats a metric: "97.31 %" or "5.123". Returns `out`. */
char *dl_report_metric(char out[32], const dl_metric *metric, double value);

#endif
