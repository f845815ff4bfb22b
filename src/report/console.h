/* SPDX-License-Identifier: MIT */
/* What a person at a terminal sees of a training. */
#ifndef DL_REPORT_CONSOLE_H
#define DL_REPORT_CONSOLE_H

#include "base/terminal.h"
#include "train/trainer.h"

typedef struct {
    dl_terminal *terminal;
    double shown;           /* when a row was shown last */
    double peak_operations; /* a second, in a matrix product: measured with a profile; else 0 */
} dl_console;

/* A dl_listener's. */
int dl_console_on_event(void *console, const dl_event *event, dl_error *error);
/* Data, network, memory, and what is known before the first step. */
void dl_console_report_start(dl_terminal *terminal, const dl_trainer *trainer);

#endif
