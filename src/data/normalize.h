/* SPDX-License-Identifier: MIT */
/* Computes normalizations from data. */
#ifndef DL_DATA_NORMALIZE_H
#define DL_DATA_NORMALIZE_H

#include "data/data.h"

/* Choices of `normalize` and `normalize_by`. */
typedef enum {
    DL_NORMALIZE_NONE,
    DL_NORMALIZE_SCALE,
    DL_NORMALIZE_MEAN_STD,
    DL_NORMALIZE_MIN_MAX
} dl_normalize_mode;
typedef enum { DL_BY_AUTO, DL_BY_FEATURE, DL_BY_CHANNEL, DL_BY_GLOBAL } dl_normalize_by;

/* Elements k, k + groups, … of an input are normalized alike. */
int64_t dl_normalization_groups(dl_normalize_by by, dl_shape input);
/* [i]: element i of an input is part of a one-hot column; NULL if there is no such column. The
   caller frees it. */
bool *dl_one_hot_elements(const dl_schema *schema);
/* The normalization of the inputs of a split; `made` is overwritten, not freed. */
int dl_normalization_of_input(dl_normalization *made, const dl_subset *part, dl_normalize_mode how,
                              dl_normalize_by by, dl_error *error);
/* The same for the targets of a regression, per output. */
int dl_normalization_of_target(dl_normalization *made, const dl_subset *part, dl_normalize_mode how,
                               dl_error *error);
/* A deep copy; empty for NULL. */
dl_normalization dl_normalization_copy(const dl_normalization *normalization);
void dl_normalization_free(dl_normalization *normalization);

#endif
