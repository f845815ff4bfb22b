/* SPDX-License-Identifier: MIT */
/* The rows of a part, class by class. */
#ifndef DL_DATA_CLASS_INDEX_H
#define DL_DATA_CLASS_INDEX_H

#include "data/data.h"

/* All zero is valid, empty. */
typedef struct {
    int64_t *row;   /* [rows of the part], owned: the first class's, the second's, …, each in the
                       part's order */
    int64_t *first; /* [classes + 1], owned: where each begins */
} dl_class_index;

/* Of a part with one class, or one number in a bin, a row. `schema` says which classes there are.
   0, or -1 and an error: a row cannot be read. */
int dl_class_index_make(dl_class_index *sorted, const dl_subset *part, const dl_schema *schema,
                        dl_error *error);
void dl_class_index_free(dl_class_index *sorted);

#endif
