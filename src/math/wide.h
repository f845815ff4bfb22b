/* SPDX-License-Identifier: MIT */
/* Few channels would make short inner loops, so several rows of x[rows][channels] are processed as
   one wide row, with the values per channel repeated. Private to src/math. */
#ifndef DL_MATH_WIDE_H
#define DL_MATH_WIDE_H

#include <stdint.h>

enum {
    BLOCKS =
        64, /* of rows, summed separately: fixed, so that the bits do not depend on the threads */
    WIDE = 128, /* length of the inner loops */
    SMALL = 1 << 14
};

typedef struct {
    int64_t channels, width; /* width: a multiple of channels */
    int64_t rows;            /* of that width */
    int64_t rest;            /* remaining rows of `channels` */
} layout;

static inline layout widen(int64_t rows, int64_t channels) {
    int64_t repeat = channels < WIDE ? WIDE / channels : 1;
    return (layout){channels, repeat * channels, rows / repeat, rows % repeat};
}

static inline int64_t block_start(const layout *l, int block) {
    return l->rows * block / BLOCKS;
}

static inline void repeat_channels(const layout *l, const float *from, float *to) {
    for (int64_t j = 0; j < l->width; j++)
        to[j] = from[j % l->channels];
}

#endif
