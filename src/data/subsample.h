/* SPDX-License-Identifier: MIT */
/* Cross-validation folds, bootstrap samples and fractions of the training set. */
#ifndef DL_DATA_SUBSAMPLE_H
#define DL_DATA_SUBSAMPLE_H

#include "config/config.h"
#include "data/split.h"

/* Checks the options after dl_data_read; a fold replaces the fraction for validation. 0, or -1 and
   an error. */
int dl_subsample_check(dl_data *data, dl_error *error);
/* Replaces index[count] by a bootstrap sample, ascending: a pure function of the seed. */
void dl_subsample_bootstrap(int64_t *index, int64_t count, uint64_t seed);
/* Replaces index[count] by `kept` of its values, ascending: the first in a random order that
   depends only on the seed, so that smaller sets are subsets of larger ones. class_of[count] in [0,
   classes): keeps class proportions; may be NULL. */
void dl_subsample_first(int64_t *index, int64_t count, const int *class_of, int classes,
                        int64_t kept, uint64_t seed);
/* Reduces the training set to `train_share`. -1 and an error if a row cannot be read. */
int dl_subsample_share(const dl_data *data, dl_subset *train, dl_error *error);

#endif
