/* SPDX-License-Identifier: MIT */
/* Warnings about keys of a config that have no effect together with others. */
#ifndef DL_REPORT_CONFIG_WARNINGS_H
#define DL_REPORT_CONFIG_WARNINGS_H

#include "base/terminal.h"
#include "train/experiment.h"

/* One line per such key; `steps`: per epoch. */
void dl_report_config_warnings(dl_terminal *terminal, const dl_experiment *experiment,
                               int64_t steps);

#endif
