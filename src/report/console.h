/* SPDX-License-Identifier: MIT */
/* Prints the progress of training on a terminal. */
#ifndef DL_REPORT_CONSOLE_H
#define DL_REPORT_CONSOLE_H

#include "base/terminal.h"
#include "train/trainer.h"

typedef struct {
    dl_terminal *terminal;
    double shown;           /* time of the last row shown */
    double peak_operations; /* per second, of matrix products; 0 unless profiling */
} dl_console;

/* A listener of the trainer; its context is a dl_console. */
int dl_console_on_event(void *console, const dl_event *event, dl_error *error);
/* What precedes the first epoch: data, network, memory, warnings, first loss. */
void dl_console_report_start(dl_terminal *terminal, const dl_trainer *trainer);

#endif
