/* SPDX-License-Identifier: MIT */
/* Rows of a split in memory, their inputs by named columns, and answers to changed inputs. */
#ifndef DL_INSPECT_INPUT_TABLE_H
#define DL_INSPECT_INPUT_TABLE_H

#include "model/evaluate.h"

/* Elements of an input that are one column of the file (one-hot categories, parts of a date), a
   region of a picture, or a channel of a sequence. */
typedef struct {
    char *name;
    int64_t *element, count;
    const dl_column *column; /* the first one of a table, borrowed; or NULL */
} dl_input_column;

typedef struct {
    dl_model *model; /* built, with weights and data */
    dl_input_column *column;
    int count;
    int64_t rows, size;         /* size: elements of an input */
    float *x;                   /* [rows][size], normalized */
    float *y, *number, *weight; /* as in dl_batch */
} dl_input_table;

/* Reads up to `most` rows of the split, evenly spaced. `grid`: regions per side of a picture. Close
   it also after a failure. */
int dl_input_table_open(dl_input_table *table, dl_model *model, dl_split split, int64_t most,
                        int grid, dl_error *error);
void dl_input_table_close(dl_input_table *table);
/* A column by name; -1 and an error with the nearest name. */
int dl_input_table_find(const dl_input_table *table, const char *name, dl_error *error);
/* The value of an element of a normalized input in the units of the data, and back. */
double dl_input_value(const dl_model *model, int64_t element, float x);
float dl_input_normalized(const dl_model *model, int64_t element, double value);

/* Changes or writes input x[size] of a row. */
typedef void (*dl_input_change)(void *context, int64_t row, float *x);
typedef struct {
    dl_input_change change; /* or NULL */
    dl_observer observe;    /* or NULL; of a binned target: the numbers */
    void *context;          /* of both */
} dl_input_visitor;
/* Answers for all rows of the table, changed, and their sums (opened here; the caller closes). */
void dl_input_table_evaluate(const dl_input_table *table, const dl_input_visitor *visitor,
                             dl_metric_sums *sums);
/* Answers for `rows` inputs written by visitor->change from zeros; their targets are 0. */
void dl_input_points_evaluate(dl_model *model, int64_t rows, const dl_input_visitor *visitor);

#endif
