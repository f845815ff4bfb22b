/* SPDX-License-Identifier: MIT */
/* Targets that are made of the inputs: data for autoencoders and for siamese networks. */
#ifndef DL_DATA_TARGETS_H
#define DL_DATA_TARGETS_H

#include "data/data.h"

/* As the choices of the option `predict`. */
typedef enum {
    DL_TARGETS_LABEL, /* what the files say */
    DL_TARGETS_INPUT, /* the input itself */
    DL_TARGETS_SAME,  /* two samples, one above the other: are they of the same class? */
    DL_TARGETS_COLOR  /* the colours of an image that is seen in grey */
} dl_targets;

/* What rows of `base` become; the caller frees it. -1 and an error, which begins with `where`, if
   these data have no such target. */
int dl_targets_schema(dl_schema *made, dl_targets kind, const dl_schema *base, const char *where,
                      dl_error *error);
/* Makes `made` a data set with the schema `schema` (copied) whose row i is made of row i of the
   part's, and of another row of the part where two are needed: which one is a pure function of the
   seed and i. Borrows the part's data set. Freed like any data set: its type's `close`, then its
   schema. -1 and an error if a row cannot be read. */
int dl_targets_make(dl_dataset *made, dl_targets kind, const dl_schema *schema,
                    const dl_subset *part, uint64_t seed, dl_error *error);

#endif
