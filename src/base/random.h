/* SPDX-License-Identifier: MIT */
/* Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as
   1, 2, 3", SC 2011). A draw is a pure function of its coordinates, independent of the order of
   draws and the number of threads. */
#ifndef DL_BASE_RANDOM_H
#define DL_BASE_RANDOM_H

#include <stdint.h>

/* The purpose of a draw. Renumbering would change the results of every run. */
typedef enum {
    DL_FOR_WEIGHTS = 1,
    DL_FOR_SPLIT = 2,
    DL_FOR_SHUFFLE = 3,
    DL_FOR_DROPOUT = 4,
    DL_FOR_TEST = 5,
    DL_FOR_DATA = 6,
    DL_FOR_PAIRS = 7,
    DL_FOR_GENERATION = 8,
    DL_FOR_GRADIENT = 9,
    DL_FOR_AUGMENT = 10,
    DL_FOR_BAGGING = 16,
    DL_FOR_SEARCH = 21,
    DL_FOR_TRAIN_SHARE = 24,
    DL_FOR_PERMUTATION = 26,
    DL_FOR_EMBEDDING = 32
} dl_purpose;

typedef struct {
    uint64_t seed;
    uint16_t purpose; /* a dl_purpose */
    uint16_t stream;  /* the layer or parameter that draws */
    uint32_t epoch, step;
} dl_draw;

/* Four independent 32-bit words: elements 4 block … 4 block + 3 of `draw`. */
void dl_random_words(const dl_draw *draw, uint32_t block, uint32_t words[4]);
/* Elements first … first + count - 1 of `draw`, uniform in [0, 1), 24 bits; `first` is a multiple
   of 4. */
void dl_random_uniform(const dl_draw *draw, int64_t first, int64_t count, float *out);
/* The same, standard normal (Box-Muller). */
void dl_random_normal(const dl_draw *draw, int64_t first, int64_t count, float *out);
/* Shuffles order[count] (Fisher-Yates); count < 2^32. */
void dl_random_shuffle(const dl_draw *draw, int64_t *order, int64_t count);

#endif
