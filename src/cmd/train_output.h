/* SPDX-License-Identifier: MIT */
/* What dltrain prints beside the log: JSON on stdout, and how a training has ended. */
#ifndef DL_CMD_TRAIN_OUTPUT_H
#define DL_CMD_TRAIN_OUTPUT_H

#include "inspect/data_check.h"
#include "inspect/training_check.h"
#include "train/trainer.h"

/* An object an epoch: dl_train_options.on_row; the context is not used. */
void train_print_row(void *context, const dl_experiment *experiment, const dl_row *row);
/* The last object. */
void train_print_end(const dl_experiment *experiment, const dl_train_result *result);
/* The last lines of the log, with the commands that could come next; `program` as it was called. */
void train_report_end(dl_terminal *terminal, const char *program, const dl_experiment *experiment,
                      const dl_train_result *result);
/* Of --check-data. */
void train_print_findings(const dl_findings *findings, bool json);
/* Of --check: a line as soon as it is known, and the JSON of all. Of --find-lr: a curve and a rate.
   Lines are broken at the width of the screen, if stdout is one. */
void train_print_checked(const dl_checked *checked);
void train_print_checkup(const dl_checkup *checkup);
void train_print_rates(const dl_checkup *checkup, bool json);
/* What the run's history tells: lines on stdout (or JSON), or of the log. -1 and an error if it
   cannot be read. */
int train_print_diagnosis(const char *run, bool json, dl_error *error);
void train_say_diagnosis(dl_terminal *terminal, const char *run);

#endif
