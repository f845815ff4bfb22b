/* SPDX-License-Identifier: MIT */
/* Edits of a run's config.cfg, which have no effect: a checkpoint has its own config. */
#ifndef DL_RUN_CONFIG_CHANGES_H
#define DL_RUN_CONFIG_CHANGES_H

#include "config/config.h"

/* Adds the values of the folder's config.cfg that differ from `config`, both resolved:
   "optimizer.learning_rate = 0.1 (not 0.003), …". Nothing if they agree or the file is missing. */
void dl_config_changes(const char *folder, const dl_config *config, dl_text *changes);

#endif
