/* What else may become of the training file's rows: one of k folds for cross-validation, or a
   bootstrap sample. */
#ifndef DL_DATA_RESAMPLE_H
#define DL_DATA_RESAMPLE_H

#include "config/config.h"
#include "data/split.h"

/* Reads the options' own combinations: once `data`'s options are read, and its parts. A fold takes
   the place of a share for validation. 0, or -1 and an error. */
int dl_resample_check(dl_data *data, dl_error *error);
/* index[0..count) becomes as many of its numbers drawn with replacement, ascending: a pure function
   of the seed. */
void dl_resample_bootstrap(int64_t *index, int64_t count, uint64_t seed);

#endif
