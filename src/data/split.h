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

#endif
