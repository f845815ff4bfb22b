/* SPDX-License-Identifier: MIT */
/* Which inputs matter: permutation importance (Breiman, "Random forests", 2001) and partial
   dependence (Friedman, "Greedy function approximation", 2001). */
#ifndef DL_INSPECT_IMPORTANCE_H
#define DL_INSPECT_IMPORTANCE_H

#include "inspect/input_table.h"

enum { DL_MOST_REPEATS = 1000 };

typedef struct {
    const dl_metric *metric; /* NULL: the loss */
    int metric_index;
    double base; /* without a permutation */
    int64_t repeats;
    double *value;     /* [columns][repeats]: how much worse the metric is; owned */
    double *mean, *sd; /* [columns]: of the repeats, sd with divisor `repeats`; owned */
    int *order;        /* [columns], the most important first; owned */
} dl_importance;

/* The model's metric of this name ("loss"), or its first one if `name` is NULL. */
int dl_importance_choose_metric(dl_importance *importance, const dl_model *model, const char *name,
                                dl_error *error);
/* In repeat r, row i of a column gets the column's value of row order[i], where `order` is 0, 1, …
   shuffled (dl_random_shuffle) by (seed, DL_FOR_PERMUTATION, stream 0, epoch 0, step r): the same
   for all columns, so that their differences have less noise. */
void dl_importance_compute(dl_importance *importance, const dl_input_table *table, uint64_t seed,
                           void (*progress)(void *context, int done), void *context);
void dl_importance_free(dl_importance *importance);
/* "column,importance,sd,repeat_1,…" */
void dl_importance_add_csv(const dl_importance *importance, const dl_input_table *table,
                           dl_text *csv);

/* Mean answers of the rows with one column set to each of some values. */
typedef struct {
    const dl_input_column *column; /* borrowed */
    int points, curves;
    double *x;    /* [points]: values of the data; numbers of categories */
    double *mean; /* [curves][points]: of the outputs, or the probabilities of the classes */
} dl_dependence;

/* Values: the categories, or all distinct numbers of the rows if there are at most 30, or 30 evenly
   spaced from the 5th to the 95th percentile. -1 and an error if the column is not one number or
   one-hot. */
int dl_dependence_compute(dl_dependence *dependence, const dl_input_table *table, int column,
                          dl_error *error);
/* The name of a point (a category or number), written to `out` if it is a number. */
const char *dl_dependence_point(const dl_dependence *dependence, int point, char out[32]);
void dl_dependence_add_csv(const dl_dependence *dependence, const dl_model *model, dl_text *csv);
/* The name of an output: of a class or target, or its number, written to `out`. */
const char *dl_dependence_curve(const dl_model *model, int curve, char out[16]);
void dl_dependence_free(dl_dependence *dependence);

#endif
