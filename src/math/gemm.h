/* SPDX-License-Identifier: MIT */
/* Matrix products. All matrices are row-major and dense. */
#ifndef DL_MATH_GEMM_H
#define DL_MATH_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "math/activation.h"

/* c[m][n] = op(a)[m][k] · op(b)[k][n] + beta · c, where op transposes if asked: then a is [k][m]
   and b is [n][k]. Sums in float, in the order that OpenBLAS takes. Inside a parallel region it
   runs on the calling thread alone. */
void dl_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
             const float *b, float beta, float *c);

/* The same on parts of wider matrices, whose rows are lda, ldb and ldc floats apart; by OpenBLAS.
 */
void dl_gemm_part(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                  const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                  int64_t ldc);

/* A matrix of weights that never changes, in the order of a kernel. */
typedef struct dl_onednn_dense dl_frozen;
/* NULL if there is nothing to gain for a b[k][n]. */
dl_frozen *dl_frozen_new(int64_t n, int64_t k, bool bias, const dl_activation *f);
void dl_frozen_free(dl_frozen *frozen);

/* c[m][n] = f(a[m][k] · b[k][n] + bias[n]); bias may be NULL. frozen: NULL, or what dl_frozen_new
   gave for this b, bias and f; then b is looked at the first time only. */
void dl_gemm_activate(int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                      const float *bias, const dl_activation *f, dl_frozen *frozen, float *c);

#endif
