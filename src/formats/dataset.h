/* SPDX-License-Identifier: MIT */
/* The contract of a data-set format: one file in this folder, one line in registry.c. */
#ifndef DL_FORMATS_DATASET_H
#define DL_FORMATS_DATASET_H

#include "base/error.h"
#include "config/option.h"
#include "formats/schema.h"

typedef struct dl_dataset dl_dataset;

typedef struct {
    dl_kind kind; /* the options: each may stand in `data` for all parts, or in one part's group */
    /* Opens the files that the options name. Sets `count`, `schema` and `state`. Where `like` is
       not NULL the rows must agree with it (and `schema` becomes a copy of it): same shape, the
       same columns by name, no unknown category or class. Refuses NaN and inf, naming file and
       place. On failure what it has allocated is freed by close. */
    int (*open)(dl_dataset *dataset, const dl_schema *like, dl_error *error);
    /* Row i: x[size of schema.input], not normalized; y[schema.outputs], classes as their numbers.
       Either may be NULL: not wanted, and not worked for. Any thread, any order. */
    int (*read)(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error);
    /* The same, not rounded to float: asked for what input_doubles and target_doubles say. */
    void (*read_doubles)(const dl_dataset *dataset, int64_t i, double *x, double *y);
    /* Row i will be read soon: a hint to the memory, NULL if there is nothing to gain. */
    void (*prefetch)(const dl_dataset *dataset, int64_t i);
    /* Frees `state` (NULL if it was never opened) and what it holds; called once, also after a
       failed open. */
    void (*close)(dl_dataset *dataset);
} dl_dataset_type;

/* What the cache of decoded pictures has to say to the user: lines, without a newline at the end.
 */
typedef struct {
    dl_text told, warned; /* owned */
} dl_cache_notes;

struct dl_dataset {
    const dl_dataset_type *type;
    void *options;     /* the type's struct, filled from the config; owned by the dl_data */
    const char *where; /* "file:line" of the config's group, for messages */
    /* Bytes, 0: any. What is larger than `memory` a format that can reads and decodes as needed;
       what is larger than `memory_most` others refuse (dl_dataset_fits). */
    int64_t memory, memory_most;
    dl_cache_notes *cache; /* NULL: decoded pictures are not to be kept on disk; borrowed */
    void *state;           /* the type's own; owned by it */
    int64_t count;         /* rows */
    bool bytes;   /* set by open: inputs are whole numbers from 0 to 255, as in image files */
    bool ordered; /* set by open: rows go on where the one before ends; shares are the tail */
    bool slow;    /* set by open: a row is decoded anew whenever it is read */
    bool input_doubles, target_doubles; /* set by open: floats may not hold all of their values */
    dl_schema schema;                   /* owned */
    const uint64_t *group; /* set by open: [count], equal for rows that a split must not part, or
                              NULL; the state owns it */
};

extern const dl_registry dl_dataset_registry;

/* Row i as the type's `read` gives it, less the schema's origins, subtracted in double. */
int dl_dataset_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error);

/* The path of the data file `name` (freed by the caller), or NULL and an error that says where it
   was looked for, and which `scripts/get_data.sh` command gets it, if one does. */
char *dl_dataset_find(const dl_dataset *dataset, const char *name, dl_error *error);

/* Whether so many bytes may be held in memory for the file `path`: 0, or -1 and an error. `advice`,
   or NULL, is what helps beside a larger limit. */
int dl_dataset_fits(const dl_dataset *dataset, const char *path, double bytes, const char *advice,
                    dl_error *error);

#endif
