/* SPDX-License-Identifier: MIT */
/* Taking the statistics that a normalization is made of. */
#ifndef DL_DATA_NORMALIZE_H
#define DL_DATA_NORMALIZE_H

#include "data/data.h"

/* As the choices of the options `normalize` and `normalize_by`. */
typedef enum {
    DL_NORMALIZE_NONE,
    DL_NORMALIZE_SCALE,
    DL_NORMALIZE_MEAN_STD,
    DL_NORMALIZE_MIN_MAX
} dl_normalize_how;
typedef enum { DL_BY_AUTO, DL_BY_FEATURE, DL_BY_CHANNEL, DL_BY_GLOBAL } dl_normalize_by;

/* Makes the normalization of the inputs of `part`'s rows; frees nothing that `made` held before. */
int dl_normalization_of_input(dl_normalization *made, const dl_subset *part, dl_normalize_how how,
                              dl_normalize_by by, dl_error *error);
/* The same for the targets of a regression, each output by itself. */
int dl_normalization_of_target(dl_normalization *made, const dl_subset *part, dl_normalize_how how,
                               dl_error *error);
/* A deep copy; of NULL an empty one. */
dl_normalization dl_normalization_copy(const dl_normalization *normalization);
void dl_normalization_free(dl_normalization *normalization);

#endif
