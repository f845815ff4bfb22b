/* SPDX-License-Identifier: MIT */
/* What a config asks for, and what will nevertheless never be. */
#ifndef DL_REPORT_CONFIG_WARNINGS_H
#define DL_REPORT_CONFIG_WARNINGS_H

#include "base/terminal.h"
#include "train/experiment.h"

/* A line for each key of the config that has no effect together with the others, an epoch having so
   many steps. */
void dl_report_config_warnings(dl_terminal *terminal, const dl_experiment *experiment,
                               int64_t steps);

#endif
