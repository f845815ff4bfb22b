/* SPDX-License-Identifier: MIT */
/* Search spaces: configs in which groups stand for values to be searched.

       learning_rate = { search = "log"; low = 1e-5; high = 1e-1; };

   A config of the space has a value instead of each such group: sampled, or a point of a grid.
   Values of a choice may be groups that contain searches, which exist only where they are chosen.
 */
#ifndef DL_CONFIG_SPACE_H
#define DL_CONFIG_SPACE_H

#include "config/config.h"

extern const dl_registry dl_search_registry;

/* The first search; NULL: the config is not a space. */
const config_setting_t *dl_space_find(const dl_config *config);

/* Checks every search. 0, or -1 and all errors. The functions below require a checked space. */
int dl_space_check(dl_config *space, dl_error *error);

/* DL_SPACE_COVER: the number of configs that contain every value of every choice and both ends of
   every range. DL_SPACE_POINT: the number of grid points; 0 and an error if a range has no steps.
 */
typedef enum { DL_SPACE_SAMPLE, DL_SPACE_COVER, DL_SPACE_POINT } dl_space_mode;
int64_t dl_space_count(dl_config *space, dl_space_mode mode, dl_error *error);

/* Sets `config` (all zero; freed by the caller) to config `number` of the space: the seed of a
   sample, or an index below dl_space_count. A sampled value depends only on the seed and its path.
   Numbers of ranges are rounded to 6 digits. Settings keep file and line of the space. */
int dl_space_resolve(dl_config *config, dl_config *space, dl_space_mode mode, uint64_t number,
                     dl_error *error);

/* Calls `visit` with the path ("network.0.units") and group of each search in file order. */
void dl_space_walk(const dl_config *space,
                   void (*visit)(void *context, const char *path, config_setting_t *group),
                   void *context);

#endif
