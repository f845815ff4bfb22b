/* SPDX-License-Identifier: MIT */
/* Clipping and noise, for gradients before a step and weights after it. */
#ifndef DL_OPTIM_CLIPPING_H
#define DL_OPTIM_CLIPPING_H

#include <stdint.h>

#include "base/random.h"

/* Clips each x[count] to [-limit, limit]; NaN stays NaN. */
void dl_clip_values(float *x, int64_t count, double limit);
/* x[count] = scale · x + deviation · n, with standard normal n. Neelakantan et al., "Adding
   gradient noise improves learning for very deep networks", 2015 (arXiv:1511.06807). */
void dl_add_noise(const dl_draw *draw, double scale, double deviation, float *x, int64_t count);
/* Rescales each unit whose norm exceeds `limit` to that norm; x[i] belongs to unit
   i / inner % units. The bits do not depend on the number of threads. */
void dl_clip_norms(float *x, int64_t count, int64_t units, int64_t inner, double limit);

#endif
