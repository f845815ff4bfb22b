/* SPDX-License-Identifier: MIT */
/* What is printed for people: the tables before the first epoch, and a line an epoch. */
#ifndef DL_REPORT_REPORT_H
#define DL_REPORT_REPORT_H

#include "base/terminal.h"
#include "train/lsuv.h"
#include "train/row.h"
#include "train/transfer.h"

/* Sizes and class counts of the parts, and what the simplest guess would reach. */
void dl_report_data(dl_terminal *terminal, const dl_experiment *experiment);
/* Which files of decoded pictures are used or were made, how large they are, and what could not be
   kept there. */
void dl_report_cache(dl_terminal *terminal, const dl_data *data);
/* A line for each thing that the counts of the data tell to be wrong. */
void dl_report_warnings(dl_terminal *terminal, const dl_experiment *experiment);
/* A line about biases that do nothing, if there are any. */
void dl_report_biases(dl_terminal *terminal, const dl_experiment *experiment);
/* A row a layer: name, type, output shape, parameters, the auxiliary head that it is part of; the
   heads' losses. */
void dl_report_network(dl_terminal *terminal, const dl_experiment *experiment);
/* The memory plan, with the bytes of the optimizer's vectors and of the loaders' batches. */
void dl_report_memory(dl_terminal *terminal, const dl_experiment *experiment, int64_t vector_bytes,
                      int64_t batch_bytes);
/* What was taken from another checkpoint, and what was not; nothing, if none was asked for. */
void dl_report_transfer(dl_terminal *terminal, const dl_transfer *transfer);
/* Which layers begin to be trained later than in the first epoch. */
void dl_report_frozen(dl_terminal *terminal, const dl_experiment *experiment);
/* What lsuv has done, if it was asked for. */
void dl_report_lsuv(dl_terminal *terminal, const dl_lsuv *lsuv);
/* What is averaged, if the weights are. */
void dl_report_average(dl_terminal *terminal, const dl_experiment *experiment);
/* The heading of the epochs' table, and one of its rows; the log has it whole, the terminal the
   columns that fit, or nothing if not `shown`. */
void dl_report_heading(dl_terminal *terminal, const dl_experiment *experiment);
void dl_report_row(dl_terminal *terminal, const dl_experiment *experiment, const dl_row *row,
                   bool is_best, bool shown);
/* A metric's value as people read it: "97.31 %" or "5.123". Returns `out`. */
char *dl_report_metric(char out[32], const dl_metric *metric, double value);

#endif
