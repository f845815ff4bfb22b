/* SPDX-License-Identifier: MIT */
/* Regression by classes: the numbers of a target are cut into bins, which are the classes. */
#ifndef DL_DATA_BINS_H
#define DL_DATA_BINS_H

#include "data/data.h"

enum { DL_MOST_BINS = 1000 };

/* Makes `count` classes of the target number of `schema`, by the quantiles of the training part's
   rows. 0, or -1 and an error that begins with `where`. */
int dl_bins_make(dl_schema *schema, const dl_subset *train, int count, const char *where,
                 dl_error *error);
/* The class of the number y. */
int dl_bins_find(const dl_schema *schema, double y);
/* The class that a target is: as it was read, the class itself or a number in a bin. */
int dl_bins_class(const dl_schema *schema, float y);
/* The schema as the data's files have it: without bins, the target a number again. A deep copy. */
dl_schema dl_bins_undone(const dl_schema *schema);

#endif
