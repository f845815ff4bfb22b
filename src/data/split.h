/* SPDX-License-Identifier: MIT */
/* Which rows of one file go to which part. */
#ifndef DL_DATA_SPLIT_H
#define DL_DATA_SPLIT_H

#include "data/data.h"

/* As the choices of the option `split`. */
typedef enum { DL_SPLIT_AUTO, DL_SPLIT_STRATIFIED, DL_SPLIT_RANDOM, DL_SPLIT_TAIL } dl_split_kind;

/* Part number `number`, from 1, of `count`. */
typedef struct {
    int64_t number, count;
} dl_fold;

/* Sets part_of[0..count) to each row's dl_split: share[p] of the rows (rounded) go to DL_VALIDATION
   and to DL_TEST, the rest to DL_TRAIN. Stratified: each class's share is right within a row, and
   class_of[0..count) holds numbers in [0, classes); else class_of is not used. The rows for testing
   do not depend on the share for validation. Tail: train, validation, test in the file's order.
   fold, if it is not NULL, says which rows are for validation in place of their share: those that
   are not for testing are cut into folds that each class has as many rows in, give or take one, and
   so has each fold in all; tail: folds of neighbours. */
void dl_split_rows(dl_split_kind kind, const int *class_of, int classes, int64_t count,
                   const double share[DL_SPLITS], const dl_fold *fold, uint64_t seed,
                   uint8_t *part_of);

/* The same for rows that come in groups, all of which go to one part: equal numbers in
   group[0..count). Groups are taken in an order that is a pure function of the seed and their
   numbers, each if it brings the part nearer to its share of every class (class_of NULL: of the
   rows). A part with a share has a group at least, training too, if there are as many.
   fold from 1 to folds (0: none): what is not for testing is cut into as many folds, and this one
   is for validation, whatever its share: the largest groups first, each to the fold that has least
   of its classes. */
void dl_split_groups(const int *class_of, int classes, const uint64_t *group, int64_t count,
                     const double share[DL_SPLITS], int64_t fold, int64_t folds, uint64_t seed,
                     uint8_t *part_of);
/* What the option `split` means for the training file. */
dl_split_kind dl_split_kind_of(const dl_data *data);
/* Splits the training file as the options of `data` say: sets part_of[0..its rows) and the digest.
   `where` is that of the option `split`. -1 and an error if these data cannot be split so. */
int dl_split_dataset(dl_data *data, const char *where, uint8_t *part_of, dl_error *error);

#endif
