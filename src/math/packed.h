/* SPDX-License-Identifier: MIT */
/* Repeated products with one matrix, packed once in the order in which the kernel reads it: for the
   few rows of a step of a recurrent layer. */
#ifndef DL_MATH_PACKED_H
#define DL_MATH_PACKED_H

#include <stdbool.h>
#include <stdint.h>

/* n rounded up to whole vectors: the columns that the kernel writes. */
int64_t dl_packed_columns(int64_t n);
/* Floats that dl_pack writes. */
int64_t dl_packed_size(int64_t n, int64_t k);
/* Packs op(b)[k][n], where op transposes on request: then b is [n][k]. */
void dl_pack(bool transpose, int64_t n, int64_t k, const float *b, float *packed);
/* c[rows][n] = a[rows][k] · b, on the calling thread, with row strides a_step and
   c_step >= dl_packed_columns(n); columns of c beyond n are overwritten. The bits of a row do not
   depend on the other rows. */
void dl_packed_multiply(int64_t rows, int64_t n, int64_t k, const float *a, int64_t a_step,
                        const float *packed, float *c, int64_t c_step);

#endif
