/* Which rows of one file go to which part. */
#ifndef DL_DATA_SPLIT_H
#define DL_DATA_SPLIT_H

#include "data/data.h"

/* As the choices of the option `split`. */
typedef enum { DL_SPLIT_AUTO, DL_SPLIT_STRATIFIED, DL_SPLIT_RANDOM, DL_SPLIT_TAIL } dl_split_kind;

/* Sets part_of[0..count) to each row's dl_split: share[p] of the rows (rounded) go to DL_VALIDATION
   and to DL_TEST, the rest to DL_TRAIN. Stratified: each class's share is right within a row, and
   class_of[0..count) holds numbers in [0, classes); else class_of is not used. The rows for testing
   do not depend on the share for validation. Tail: train, validation, test in the file's order. */
void dl_split_rows(dl_split_kind kind, const int *class_of, int classes, int64_t count,
                   const double share[DL_SPLITS], uint64_t seed, uint8_t *part_of);

#endif
