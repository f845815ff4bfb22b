/* SPDX-License-Identifier: MIT */
/* A run's config.cfg that was edited: a checkpoint has its own config. */
#ifndef DL_RUN_CONFIG_CHANGES_H
#define DL_RUN_CONFIG_CHANGES_H

#include "config/config.h"

/* Adds the values in which the folder's config.cfg differs from `config`, both resolved:
   "optimizer.learning_rate = 0.1 (not 0.003), …". Nothing if they agree or there is no such file.
 */
void dl_config_changes(const char *folder, const dl_config *config, dl_text *changes);

#endif
