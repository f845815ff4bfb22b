/* SPDX-License-Identifier: MIT */
/* Matrix products. All matrices are row-major and dense. */
#ifndef DL_MATH_GEMM_H
#define DL_MATH_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "math/activation.h"

/* c[m][n] = op(a)[m][k] · op(b)[k][n] + beta · c, where op transposes on request: then a is
   [k][m] and b is [n][k]. Sums in float. In a parallel region it runs on the calling thread. */
void dl_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
             const float *b, float beta, float *c);

/* The same by OpenBLAS for submatrices, with leading dimensions lda, ldb and ldc. */
void dl_gemm_part(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                  const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                  int64_t ldc);

/* A constant weight matrix, packed for a kernel. */
typedef struct dl_onednn_dense dl_frozen;
/* NULL if it is not faster for b[k][n]. */
dl_frozen *dl_frozen_new(int64_t n, int64_t k, bool bias, const dl_activation *f);
void dl_frozen_free(dl_frozen *frozen);

/* c[m][n] = f(a[m][k] · b[k][n] + bias[n]); bias may be NULL. frozen: NULL, or made for
   this b, bias and f; then b is read only in the first call. */
void dl_gemm_activate(int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                      const float *bias, const dl_activation *f, dl_frozen *frozen, float *c);

#endif
