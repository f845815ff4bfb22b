/* Orthogonal matrices. */
#ifndef DL_MATH_ORTHOGONAL_H
#define DL_MATH_ORTHOGONAL_H

#include <stdint.h>

/* value[rows][columns] becomes the nearest by Gram and Schmidt: its columns or, if they are fewer,
   its rows become of length 1 and at right angles, each keeping its direction as far as those
   before it leave it. The matrix has full rank, and each side is below 2^31. The bits do not depend
   on the number of threads. */
void dl_orthogonalize(int64_t rows, int64_t columns, float *value);

#endif
