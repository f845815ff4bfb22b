/* SPDX-License-Identifier: MIT */
/* Output of dltrain: JSON on stdout, and the last lines of the log. */
#ifndef DL_CMD_TRAIN_OUTPUT_H
#define DL_CMD_TRAIN_OUTPUT_H

#include "base/terminal.h"
#include "train/trainer.h"

/* A listener of the trainer that prints an object per epoch; without context. */
int train_print_json_event(void *context, const dl_event *event, dl_error *error);
/* Prints the last object. */
void train_print_end(const dl_experiment *experiment, const dl_train_result *result,
                     const char *folder, double peak_operations);
/* The last lines of the log, with commands to continue with; program: argv[0]. */
void train_report_end(dl_terminal *terminal, const char *program, const dl_experiment *experiment,
                      const dl_train_result *result, const char *folder);
/* The bytes of a text that fit into so many columns: whole words, if one fits. */
int train_line_length(const char *text, int columns);

#endif
