/* SPDX-License-Identifier: MIT */
#include "math/gemm.h"

#include <cblas.h>

#include "math/backend.h"
#include "math/onednn.h"
#include "math/threads.h"

/* Below this many columns oneDNN's kernels were measured to be slower than OpenBLAS's, and so for
   products that are over before a second thread has begun. */
enum { FEW_COLUMNS = 16, FEW_OPERATIONS = 1 << 16 };

/* Of products with short sides the rounding of the factors takes longer than it saves. */
enum { SHORT = 32 };

static bool is_narrow(int64_t m, int64_t n, int64_t k) {
    return dl_backend_get_bf16() && m >= SHORT && n >= SHORT && k >= SHORT;
}

static bool prefers_onednn(int64_t m, int64_t n, int64_t k) {
    switch (dl_backend_get()) {
    case DL_BACKEND_OPENBLAS:
        return false;
    case DL_BACKEND_ONEDNN:
        return true;
    default:
        return n >= FEW_COLUMNS && m * n * k >= FEW_OPERATIONS;
    }
}

/* One row of a: c[n] = a[k] · b[k][n] + beta · c. b is read once, in stretches that the processor
   foresees: strips of columns whose sums are in registers, and where there are few of them blocks
   of rows, whose sums are added up. The bits do not depend on the threads. */
enum { STRIP = 128, FEW_STRIPS = 4, BLOCK = 512, MOST_BLOCKS = 64 };

static void multiply_strip(int64_t n, int64_t rows, const float *a, const float *b, int count,
                           float *restrict out) {
    float sum[STRIP] = {0};
    if (count == STRIP)
        for (int64_t i = 0; i < rows; i++)
#pragma omp simd
            for (int j = 0; j < STRIP; j++)
                sum[j] += a[i] * b[i * n + j];
    else
        for (int64_t i = 0; i < rows; i++)
#pragma omp simd
            for (int j = 0; j < count; j++)
                sum[j] += a[i] * b[i * n + j];
    for (int j = 0; j < count; j++)
        out[j] = sum[j];
}

static void multiply_row(int64_t n, int64_t k, const float *a, const float *b, float beta,
                         float *c) {
    float partial[MOST_BLOCKS * FEW_STRIPS * STRIP];
    int64_t strips = (n + STRIP - 1) / STRIP, rows = k;
    if (strips <= FEW_STRIPS && k > BLOCK)
        rows = k / BLOCK < MOST_BLOCKS ? BLOCK : (k + MOST_BLOCKS - 1) / MOST_BLOCKS;
    int64_t blocks = (k + rows - 1) / rows;
    bool direct = blocks == 1 && beta == 0;
    for (int64_t j = 0; !direct && blocks == 1 && j < n; j++)
        c[j] *= beta;
#pragma omp parallel for schedule(static) if (n * k >= FEW_OPERATIONS)
    for (int64_t unit = 0; unit < blocks * strips; unit++) {
        int64_t block = unit / strips, j = unit % strips * STRIP, i = block * rows;
        int count = n - j < STRIP ? (int)(n - j) : STRIP;
        float own[STRIP];
        float *out = direct ? c + j : blocks == 1 ? own : partial + block * n + j;
        multiply_strip(n, k - i < rows ? k - i : rows, a + i, b + i * n + j, count, out);
        for (int l = 0; out == own && l < count; l++)
            c[j + l] += own[l];
    }
    for (int64_t j = 0; blocks > 1 && j < n; j++) {
        float sum = beta != 0 ? beta * c[j] : 0;
        for (int64_t block = 0; block < blocks; block++)
            sum += partial[block * n + j];
        c[j] = sum;
    }
}

void dl_gemm_part(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                  const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                  int64_t ldc) {
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f,
                a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

void dl_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
             const float *b, float beta, float *c) {
    if (m == 1 && !transpose_b) {
        multiply_row(n, k, a, b, beta, c);
        return;
    }
    if (prefers_onednn(m, n, k) && !dl_threads_are_busy() &&
        dl_onednn_gemm(transpose_a, transpose_b, m, n, k, a, b, beta, is_narrow(m, n, k), c))
        return;
    dl_gemm_part(transpose_a, transpose_b, m, n, k, a, transpose_a ? m : k, b, transpose_b ? k : n,
                 beta, c, n);
}

/* Of a kernel's order a few columns were measured to have nothing. */
enum { MANY_COLUMNS = 256 };

dl_frozen *dl_frozen_new(int64_t n, int64_t k, bool bias, const dl_activation *f) {
    bool gains = dl_backend_get() == DL_BACKEND_ONEDNN || n >= MANY_COLUMNS;
    if (dl_backend_get() == DL_BACKEND_OPENBLAS || !gains)
        return NULL;
    return dl_onednn_dense_new(k, n, bias, f->kind == DL_RELU);
}

void dl_frozen_free(dl_frozen *frozen) {
    dl_onednn_dense_free(frozen);
}

void dl_gemm_activate(int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                      const float *bias, const dl_activation *f, dl_frozen *frozen, float *c) {
    bool relu = f->kind == DL_RELU, plain = f->kind == DL_LINEAR;
    bool alone = !dl_threads_are_busy();
    if (frozen && alone && dl_onednn_dense_forward(frozen, m, a, b, bias, c)) {
        if (!relu && !plain)
            dl_activate(f, m, n, NULL, c, c);
        return;
    }
    if ((relu || (plain && bias)) && m > 1 && prefers_onednn(m, n, k) && alone &&
        dl_onednn_gemm_activate(m, n, k, a, b, bias, relu, is_narrow(m, n, k), c))
        return;
    dl_gemm(false, false, m, n, k, a, b, 0, c);
    dl_activate(f, m, n, bias, c, c);
}
