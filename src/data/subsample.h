/* SPDX-License-Identifier: MIT */
/* What else may become of the training file's rows: one of k folds for cross-validation, a
   bootstrap sample, or a share of those for training. */
#ifndef DL_DATA_SUBSAMPLE_H
#define DL_DATA_SUBSAMPLE_H

#include "config/config.h"
#include "data/split.h"

/* Reads the options' own combinations: once `data`'s options are read, and its parts. A fold takes
   the place of a share for validation. 0, or -1 and an error. */
int dl_subsample_check(dl_data *data, dl_error *error);
/* index[0..count) becomes as many of its numbers drawn with replacement, ascending: a pure function
   of the seed. */
void dl_subsample_bootstrap(int64_t *index, int64_t count, uint64_t seed);
/* Leaves the first `kept` of index[0..count) in an order that is a pure function of the seed, and
   ascending again: what is kept is within what a larger number would keep. class_of[0..count) has a
   number in [0, classes) for each: the order has the classes evenly spread, so that any beginning
   has all of them in proportion; NULL: there are none. */
void dl_subsample_first(int64_t *index, int64_t count, const int *class_of, int classes,
                        int64_t kept, uint64_t seed);
/* The training part becomes the share of it that `train_share` says, by class where the split is;
   where the split is by the tail, its last rows. -1 and an error if a row cannot be read. */
int dl_subsample_share(const dl_data *data, dl_subset *train, dl_error *error);

#endif
