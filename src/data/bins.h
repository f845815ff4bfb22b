/* SPDX-License-Identifier: MIT */
/* Regression as classification: a numeric target is divided into bins, which are the classes. */
#ifndef DL_DATA_BINS_H
#define DL_DATA_BINS_H

#include "data/data.h"

enum { DL_MAX_BINS = 1000 };

/* Divides the target of `schema` into `count` quantile bins of the training set. 0, or -1 and an
   error that begins with `where`. */
int dl_bins_make(dl_schema *schema, const dl_subset *train, int count, const char *where,
                 dl_error *error);
/* The bin of y. */
int dl_bins_find(const dl_schema *schema, double y);
/* The class of a target as read: itself, or its bin. */
int dl_bins_class(const dl_schema *schema, float y);
/* A deep copy of the schema without bins, as in the files. */
dl_schema dl_bins_remove(const dl_schema *schema);

#endif
