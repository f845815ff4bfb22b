/* SPDX-License-Identifier: MIT */
/* What dltrain prints beside the log: JSON on stdout, and how a training has ended. */
#ifndef DL_CMD_TRAIN_OUTPUT_H
#define DL_CMD_TRAIN_OUTPUT_H

#include "train/trainer.h"

/* An object an epoch: dl_train_options.on_row; the context is not used. */
void train_print_row(void *context, const dl_experiment *experiment, const dl_row *row);
/* The last object. */
void train_print_end(const dl_experiment *experiment, const dl_train_result *result);
/* The last lines of the log, with the commands that could come next; `program` as it was called. */
void train_report_end(dl_terminal *terminal, const char *program, const dl_experiment *experiment,
                      const dl_train_result *result);
/* What the run's history suggests, as lines of the log. */
void train_say_diagnosis(dl_terminal *terminal, const char *run);
/* How many bytes of a text fit into a line of so many columns: whole words, if one fits. */
int train_line_of(const char *text, int columns);

#endif
