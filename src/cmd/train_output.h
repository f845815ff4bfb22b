/* SPDX-License-Identifier: MIT */
/* What dltrain prints beside the log: JSON on stdout, and how a training has ended. */
#ifndef DL_CMD_TRAIN_OUTPUT_H
#define DL_CMD_TRAIN_OUTPUT_H

#include "base/terminal.h"
#include "train/trainer.h"

/* A dl_listener's: prints an object per epoch; the context is not used. */
int train_print_json_event(void *context, const dl_event *event, dl_error *error);
/* The last object. */
void train_print_end(const dl_experiment *experiment, const dl_train_result *result,
                     const char *folder, double peak_operations);
/* The last lines of the log, with the commands that could come next; `program` as it was called. */
void train_report_end(dl_terminal *terminal, const char *program, const dl_experiment *experiment,
                      const dl_train_result *result, const char *folder);
/* What the run's history suggests, as lines of the log. */
void train_say_diagnosis(dl_terminal *terminal, const char *run);
/* How many bytes of a text fit into a line of so many columns: whole words, if one fits. */
int train_line_of(const char *text, int columns);

#endif
