/* SPDX-License-Identifier: MIT */
/* The contract of a data format. A new one is a file and a line in registry.c. */
#ifndef DL_FORMATS_DATASET_H
#define DL_FORMATS_DATASET_H

#include "base/error.h"
#include "config/option.h"
#include "formats/merge.h"
#include "formats/schema.h"

typedef struct dl_dataset dl_dataset;

typedef struct {
    dl_kind kind; /* options may be set in `data` or in the group of a split */
    /* Opens the files and sets `count`, `schema` and `state`. If `like` is not NULL, rows must
       match it (same shape, columns by name, no unknown category or class) and `schema` becomes a
       copy. Rejects NaN and inf, with file and position. On failure, close frees what was
       allocated. */
    int (*open)(dl_dataset *dataset, const dl_schema *like, dl_error *error);
    /* Reads row i: x[size of schema.input], not normalized; y[schema.outputs], class numbers or
       values. Either may be NULL. Thread-safe. */
    int (*read)(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error);
    /* The same, not rounded to float; required if input_doubles or target_doubles is set. */
    void (*read_doubles)(const dl_dataset *dataset, int64_t i, double *x, double *y);
    /* Prefetches row i into the processor cache; may be NULL. */
    void (*prefetch)(const dl_dataset *dataset, int64_t i);
    /* Frees `state` (NULL if never opened); called once, also after a failed open. */
    void (*close)(dl_dataset *dataset);
} dl_dataset_type;

/* Messages of the image cache (told, warned), of what is rounded (warned) and of what is skipped:
   lines. */
typedef struct {
    dl_text told, warned, skipped; /* owned */
} dl_cache_notes;

/* Where rows come from: a file of many rows each, from row `first` on, or of one row each. */
typedef struct {
    char **name;         /* [count], owned */
    int64_t *first;      /* [count], owned */
    int64_t *line;       /* [rows], owned: in the only file; NULL: rows are numbered */
    int64_t count, room; /* count 0: unknown */
    bool single;         /* file i is row i */
} dl_sources;

struct dl_dataset {
    const dl_dataset_type *type;
    void *options;              /* struct of the type, set from the config; owned by the dl_data */
    const char *where;          /* "file:line" of the group, for messages */
    const char *config;         /* path of the config, beside which files are found; or NULL */
    const char *const *folders; /* more folders in which they are found, up to NULL; or NULL */
    /* In bytes, 0: unlimited. Above `memory`, formats that can read on demand do so; above
       `memory_most`, others fail (dl_dataset_fits). */
    int64_t memory, memory_most;
    dl_cache_notes *cache;              /* NULL: do not cache decoded images; borrowed */
    bool unlabeled;                     /* targets may be missing; they are not read */
    dl_text *skipped;                   /* lines on what is not read, or NULL; borrowed */
    dl_merge merge;                     /* of classes, see DL_MERGE_OPTION */
    void *state;                        /* of the type; owned by it */
    int64_t count;                      /* rows */
    bool bytes;                         /* set by open: inputs are integers from 0 to 255 */
    bool ordered;                       /* set by open: rows are consecutive (text) */
    bool slow;                          /* set by open: rows are decoded on every read */
    bool input_doubles, target_doubles; /* set by open: values may not fit in floats */
    bool known;       /* set by an open that fails: other files can be checked against `schema` */
    dl_schema schema; /* owned */
    const uint64_t *group; /* set by open: [count], equal for rows that a split must keep together,
                              or NULL; owned by state */
    const float *weight; /* set by open: [count], of each row in the loss, >= 0; NULL: all 1; owned
                            by state */
    dl_sources sources;  /* set by open, freed by close */
    dl_text columns, notes; /* added to by open, lines for people: what each column of a table has
                               become; what was skipped, dropped or guessed. Freed by the owner */
};

extern const dl_registry dl_dataset_registry;

/* Reads row i, minus the origins of the schema, subtracted in double. */
int dl_dataset_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error);

void dl_sources_add(dl_sources *sources, const char *name, int64_t first);
void dl_sources_free(dl_sources *sources);
/* Adds where a row comes from: "rows.csv:12", "cats/1.png", "images[11]" (from 0), or "row 11". */
void dl_dataset_add_source(const dl_dataset *dataset, int64_t row, dl_text *text);

/* The path of data file `name`, freed by the caller; NULL and an error with the search path and, if
   there is one, the scripts/get_data.sh command. */
char *dl_dataset_find(const dl_dataset *dataset, const char *name, dl_error *error);

/* Checks `bytes` of memory for file `path` against the limit. 0, or -1 and an error; `advice`: an
   alternative to a larger limit, or NULL. */
int dl_dataset_fits(const dl_dataset *dataset, const char *path, double bytes, const char *advice,
                    dl_error *error);

#endif
