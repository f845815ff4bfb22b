/* Random masks over long vectors. */
#ifndef DL_MATH_MASK_H
#define DL_MATH_MASK_H

#include "base/random.h"

/* to[i] = from[i] / p with probability p = 1 - rate (rounded to 1/65536), else 0. Which ones is a
   pure function of `draw` and i. The two may be the same. */
void dl_mask_random(const dl_draw *draw, double rate, int64_t count, const float *from, float *to);

#endif
