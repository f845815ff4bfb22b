/* SPDX-License-Identifier: MIT */
/* Splits the rows of a file. */
#ifndef DL_DATA_SPLIT_H
#define DL_DATA_SPLIT_H

#include "data/data.h"

/* Choices of `split`. */
typedef enum { DL_SPLIT_AUTO, DL_SPLIT_STRATIFIED, DL_SPLIT_RANDOM, DL_SPLIT_TAIL } dl_split_kind;

/* Fold `number`, from 1, of `count`. */
typedef struct {
    int64_t number, count;
} dl_fold;

/* The input of a split. */
typedef struct {
    int64_t count;         /* rows */
    const int *class_of;   /* [count], in [0, classes); or NULL */
    const uint64_t *group; /* [count], equal for rows that stay together: dl_split_groups only */
    int classes;
    const double *share; /* [DL_SPLITS]: fractions for DL_VALIDATION and DL_TEST */
    dl_fold fold;        /* for validation, instead of a fraction; number 0: none */
    uint64_t seed;
} dl_split_input;

/* Sets part_of[count] to the dl_split of each row. Stratified: fractions are exact within one row
   per class; tail: train, validation, test in file order. Test rows do not depend on the fraction
   for validation. Folds are balanced by class (tail: contiguous). */
void dl_split_rows(const dl_split_input *in, dl_split_kind kind, uint8_t *part_of);
/* The same for groups of rows, visited in an order that depends only on the seed and their numbers
   and added to a split if that brings it closer to its share of every class. Each split gets at
   least one group, if possible. Folds: the largest group first, to the fold with the least of its
   classes. */
void dl_split_groups(const dl_split_input *in, uint8_t *part_of);

/* The effective `split` of the training file. */
dl_split_kind dl_split_kind_of(const dl_data *data);
/* Splits the training file by the options of `data`: sets part_of[rows] and the digest. `where`: of
   the option `split`. -1 and an error if the data cannot be split in this way. */
int dl_split_dataset(dl_data *data, const char *where, uint8_t *part_of, dl_error *error);

#endif
