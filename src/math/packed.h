/* SPDX-License-Identifier: MIT */
/* Products with one matrix, made again and again: its columns are put in strips once, in the order
   in which the kernel reads them. For the few rows of a step of a recurrent layer. */
#ifndef DL_MATH_PACKED_H
#define DL_MATH_PACKED_H

#include <stdbool.h>
#include <stdint.h>

/* n columns, rounded up to whole vectors: the kernel writes so many. */
int64_t dl_packed_columns(int64_t n);
/* Floats that dl_pack writes. */
int64_t dl_packed_size(int64_t n, int64_t k);
/* Packs op(b)[k][n], where op transposes if asked: then b is [n][k]. */
void dl_pack(bool transpose, int64_t n, int64_t k, const float *b, float *packed);
/* c[rows][n] = a[rows][k] · b, on the calling thread, where the rows of a are a_step floats apart
   and those of c c_step >= dl_packed_columns(n); what is behind the n-th column of c is overwritten
   too. The bits of a row do not depend on the others. */
void dl_packed_multiply(int64_t rows, int64_t n, int64_t k, const float *a, int64_t a_step,
                        const float *packed, float *c, int64_t c_step);

#endif
