/* SPDX-License-Identifier: MIT */
/* Targets derived from inputs, for autoencoders and siamese networks. */
#ifndef DL_DATA_TARGETS_H
#define DL_DATA_TARGETS_H

#include "data/data.h"

/* Choices of `predict`. */
typedef enum {
    DL_TARGETS_LABEL, /* of the files */
    DL_TARGETS_INPUT, /* the input itself */
    DL_TARGETS_SAME,  /* whether two stacked samples have the same class */
    DL_TARGETS_COLOR  /* the colors of a gray image */
} dl_targets;

/* Sets the derived schema, freed by the caller. -1 and an error that begins with `where` if the
   data does not allow it. */
int dl_targets_schema(dl_schema *made, dl_targets kind, const dl_schema *base, const char *where,
                      dl_error *error);
/* Creates a dataset with schema `schema` (copied) from that of the split, which is borrowed. Pairs
   depend only on the seed and the row. Freed like any dataset. -1 and an error if a row cannot be
   read. */
int dl_targets_make(dl_dataset *made, dl_targets kind, const dl_schema *schema,
                    const dl_subset *part, uint64_t seed, dl_error *error);

#endif
