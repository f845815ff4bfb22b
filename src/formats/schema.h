/* SPDX-License-Identifier: MIT */
/* The structure of the rows of a dataset: determined from the training data, required of the other
   splits, and saved in checkpoints. */
#ifndef DL_FORMATS_SCHEMA_H
#define DL_FORMATS_SCHEMA_H

#include <stdbool.h>

#include "base/error.h"
#include "math/shape.h"

/* A column of dates is five columns of numbers in this order: "when.year", … */
typedef enum {
    DL_NO_DATE,
    DL_DATE_YEAR,
    DL_DATE_MONTH,
    DL_DATE_DAY,
    DL_DATE_WEEKDAY, /* 1: Monday … 7: Sunday */
    DL_DATE_SECONDS, /* since midnight */
} dl_date_part;
enum { DL_DATE_PARTS = 5 };
extern const char *const dl_date_parts[DL_DATE_PARTS]; /* "year", … */

/* An input column of a table. */
typedef struct {
    char *name;
    dl_date_part date;
    char date_order; /* 'd': day/month/year, 'm': month/day/year, 0: not needed */
    int categories;  /* 0: a number; else one-hot, one element per category */
    char **category; /* their names, sorted */
    double mean;     /* of a number in the training data; replaces missing values */
    char decimal;    /* separator in its numbers: '.' or ',' */
} dl_column;

typedef struct {
    dl_shape input; /* of a sample */
    int classes;    /* > 0: classification; 0: regression */
    int outputs;    /* values per target; classification: 1, or the number of positions (time steps,
                       pixels) that have a class */
    char **class_names;   /* [classes], or NULL: numbers */
    int64_t *class_count; /* [classes]: of the training set, if the loss needs it; or NULL */
    /* Bins of a numeric target (data/bins.h), or NULL: */
    double *bin_edge; /* [classes - 1], ascending: lower bound of the next bin */
    double *bin_mean; /* [classes]: value of a bin */
    /* Subtracted from the values of the files before rounding to float, or NULL: */
    double *input_origin;  /* [size of input] */
    double *target_origin; /* [outputs] */
    int targets;           /* of tables: target columns; 0: without names */
    char **target_name;    /* [targets], or NULL */
    char *target_decimal;  /* [targets + 1], NUL-terminated; as of a column */
    int columns;           /* of tables; else 0 */
    dl_column *column;
} dl_schema;

/* A deep copy, freed with dl_schema_free. */
dl_schema dl_schema_copy(const dl_schema *schema);
void dl_schema_free(dl_schema *schema);
void dl_schema_free_targets(dl_schema *schema);
/* The name of a class, or its number written to `out`. */
const char *dl_schema_class(const dl_schema *schema, int class, char out[16]);

/* JSON for checkpoints, freed by the caller; names must be UTF-8. */
char *dl_schema_to_json(const dl_schema *schema);
/* Parses untrusted JSON; -1 and an error of DL_DATA that begins with `name`. */
int dl_schema_from_json(dl_schema *schema, const char *json, const char *name, dl_error *error);

#endif
