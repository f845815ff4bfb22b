/* SPDX-License-Identifier: MIT */
/* Configs with searched values. */
#ifndef DL_CMD_SEARCH_H
#define DL_CMD_SEARCH_H

#include "cmd/train_arguments.h"
#include "config/space.h"

/* Reads a->config, with what --set says. */
int search_load(const train_arguments *arguments, dl_config *config, dl_error *error);
/* Of a config with searched values makes `config`, which was read from it, the one that --sample or
   --point says, after a look whether each value would be fine. A plain one stays as it is. */
int search_resolve(const train_arguments *arguments, dl_config *config, dl_error *error);
/* --print-config: on stdout, with every default. */
void search_print_config(const train_arguments *arguments, const dl_config *config);
/* --space without --compare: what is searched, and the number of points of the grid. */
int search_print_space(const train_arguments *arguments, dl_error *error);

#endif
