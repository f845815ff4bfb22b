/* SPDX-License-Identifier: MIT */
/* The rows of a split, grouped by class. */
#ifndef DL_DATA_CLASS_INDEX_H
#define DL_DATA_CLASS_INDEX_H

#include "data/data.h"

/* All zero: empty. */
typedef struct {
    int64_t *row;   /* [rows]; owned: grouped by class, in order of the split */
    int64_t *first; /* [classes + 1]; owned: start of each class */
} dl_class_index;

/* For a split with one class or bin (of `schema`) per row. 0, or -1 and an error if a row cannot be
   read. */
int dl_class_index_make(dl_class_index *sorted, const dl_subset *part, const dl_schema *schema,
                        dl_error *error);
void dl_class_index_free(dl_class_index *sorted);

#endif
