/* SPDX-License-Identifier: MIT */
/* Spaces: configs in which groups stand for values that are yet to be found.

       learning_rate = { search = "log"; low = 1e-5; high = 1e-1; };

   Each config of a space has a value in the place of every such group: one drawn at random, or a
   point of a grid. A value of a choice can be anything, also a group or a layer with searched
   values of its own; these exist only where it is chosen. */
#ifndef DL_CONFIG_SPACE_H
#define DL_CONFIG_SPACE_H

#include "config/config.h"

extern const dl_registry dl_search_registry;

/* The first searched value, or NULL: the config is a plain one. */
const config_setting_t *dl_space_find(const dl_config *config);

/* What each searched value says of itself. 0, or -1 and all the mistakes. The functions below are
   for spaces that have passed. */
int dl_space_check(dl_config *space, dl_error *error);

/* How many configs of DL_SPACE_TRY have every value of every choice and both ends of every range at
   least once; how many points the grid of DL_SPACE_POINT has, 0 and an error if a range does not
   say its steps. */
typedef enum { DL_SPACE_SAMPLE, DL_SPACE_TRY, DL_SPACE_POINT } dl_space_how;
int64_t dl_space_count(dl_config *space, dl_space_how how, dl_error *error);

/* Makes `config` (all zero; dl_config_free it) that config of the space that `number` says: the
   seed of a sample, or, below dl_space_count, which one. What a sample draws for a value is a
   function of the seed and the value's path alone: others that come or go do not change it. Numbers
   from ranges are rounded to 6 digits. The places of mistakes are those in the space. */
int dl_space_resolve(dl_config *config, dl_config *space, dl_space_how how, uint64_t number,
                     dl_error *error);

/* Calls `tell` for each searched value in the order of the file: its path ("network.0.units") and
   its group. One that several values of a choice have is told for each of them. */
void dl_space_walk(const dl_config *space,
                   void (*tell)(void *context, const char *path, config_setting_t *group),
                   void *context);

#endif
