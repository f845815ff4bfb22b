/* SPDX-License-Identifier: MIT */
/* Orthogonal matrices. */
#ifndef DL_MATH_ORTHOGONAL_H
#define DL_MATH_ORTHOGONAL_H

#include <stdint.h>

/* value[rows][columns] becomes the nearest by Gram and Schmidt: its columns or, if they are fewer,
   its rows become of length 1 and at right angles, each keeping its direction as far as those
   before it leave it. The matrix has full rank, and each side is below 2^31. The bits do not depend
   on the number of threads. */
void dl_orthogonalize(int64_t rows, int64_t columns, float *value);

/* A step that does not leave the orthogonal matrices: `before` and value are [rows][columns], the
   columns of `before` (or its rows, if they are fewer) are of length 1 and at right angles, and
   value is where an optimizer has moved it. value becomes what the Cayley transform makes of that
   step, which is of the same kind; if the step is not finite, nor is value. `work` has
   dl_cayley_work bytes. The bits do not depend on the number of threads. */
void dl_cayley(int64_t rows, int64_t columns, const float *before, float *value, void *work);
int64_t dl_cayley_work(int64_t rows, int64_t columns);

#endif
