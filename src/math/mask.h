/* SPDX-License-Identifier: MIT */
/* Random masks over long vectors. */
#ifndef DL_MATH_MASK_H
#define DL_MATH_MASK_H

#include "base/random.h"

/* to[i] = from[i] / p with probability p = 1 - rate (rounded to 1/65536), else 0. Which ones is a
   pure function of `draw` and i. The two may be the same. */
void dl_mask_random(const dl_draw *draw, double rate, int64_t count, const float *from, float *to);

enum { DL_MASK_CHUNK = 128 };
/* The same for elements [first, first + count) of a longer vector, on the calling thread: `from`
   and `to` point to the first of them. `first` is a multiple of DL_MASK_CHUNK. */
void dl_mask_random_part(const dl_draw *draw, double rate, int64_t first, int64_t count,
                         const float *from, float *to);

#endif
