/* SPDX-License-Identifier: MIT */
/* What the rows of a data set are: found when the training part is opened, agreed with by the other
   parts, and carried in a checkpoint so that a test file alone can be read years later. */
#ifndef DL_FORMATS_SCHEMA_H
#define DL_FORMATS_SCHEMA_H

#include <stdbool.h>

#include "base/error.h"
#include "math/shape.h"

/* A column of a table that is an input. */
typedef struct {
    char *name;
    int categories;  /* 0: a number; else it is one-hot, one element a category */
    char **category; /* their names, sorted */
    double mean;     /* of a number over the training file; what a missing value becomes */
} dl_column;

typedef struct {
    dl_shape input;     /* of one sample */
    int classes;        /* > 0: classification, the target is class numbers; 0: regression */
    int outputs;        /* how many numbers a target has; classification: 1, or where each position
                           (time step, pixel) of a sample has its class, the positions */
    char **class_names; /* `classes` names, or NULL where the numbers are the names */
    int64_t *class_count; /* [classes]: of the training part, where the loss needs it; or NULL */
    /* A number that was cut into bins, the classes; else both NULL. See bins.h. */
    double *bin_edge;  /* [classes - 1], ascending: each is the lowest number of the next bin */
    double *bin_mean;  /* [classes]: the number that a bin stands for */
    /* What is subtracted from the files' numbers before they are rounded to float; or NULL. */
    double *input_origin;  /* [size of input] */
    double *target_origin; /* [outputs] */
    char *target_name;     /* or NULL */
    int columns;       /* tables: how many input columns; else 0 */
    dl_column *column;
} dl_schema;

/* A deep copy, freed with dl_schema_free. */
dl_schema dl_schema_copy(const dl_schema *schema);
void dl_schema_free(dl_schema *schema);
/* The name of a class: from class_names, or its number written into `out`. */
const char *dl_schema_class(const dl_schema *schema, int class, char out[16]);

/* JSON, for a checkpoint's metadata; the names must be UTF-8. The caller frees the text. */
char *dl_schema_to_json(const dl_schema *schema);
/* Reads it back, untrusted; -1 and an error of DL_DATA that begins with `name`. */
int dl_schema_from_json(dl_schema *schema, const char *json, const char *name, dl_error *error);

#endif
