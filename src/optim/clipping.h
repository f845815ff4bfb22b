/* SPDX-License-Identifier: MIT */
/* What is done to gradients before a step, and to weights after it. */
#ifndef DL_OPTIM_CLIPPING_H
#define DL_OPTIM_CLIPPING_H

#include <stdint.h>

#include "base/random.h"

/* Keeps each x[count] between -limit and limit; NaN stays what it is. */
void dl_clip_values(float *x, int64_t count, double limit);
/* x[count] = scale · x + deviation · n, with standard normal n. Neelakantan et al., "Adding
   gradient noise improves learning for very deep networks", 2015 (arXiv:1511.06807). */
void dl_add_noise(const dl_draw *draw, double scale, double deviation, float *x, int64_t count);
/* Number i of x[count] belongs to unit i / inner % units; a unit whose numbers are together longer
   than the limit is scaled to be that long. The bits do not depend on the number of threads. */
void dl_clip_norms(float *x, int64_t count, int64_t units, int64_t inner, double limit);

#endif
