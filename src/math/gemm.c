#include "math/gemm.h"

#include <cblas.h>

#include "math/backend.h"
#include "math/onednn.h"
#include "math/threads.h"

/* Below this many columns oneDNN's kernels were measured to be slower than OpenBLAS's, and so for
   products that are over before a second thread has begun. */
enum { FEW_COLUMNS = 16, FEW_OPERATIONS = 1 << 16 };

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

/* One row of a: c[n] = a[k] · b[k][n] + beta · c. Each strip of columns is one thread's, so that b
   is read once, and the sums are in registers; the bits do not depend on the threads. */
enum { STRIP = 64 };

static void multiply_strip(int64_t n, int64_t k, const float *a, const float *b, float beta,
                           int count, float *c) {
    float sum[STRIP] = {0};
    if (count == STRIP)
        for (int64_t i = 0; i < k; i++)
#pragma omp simd
            for (int j = 0; j < STRIP; j++)
                sum[j] += a[i] * b[i * n + j];
    else
        for (int64_t i = 0; i < k; i++)
#pragma omp simd
            for (int j = 0; j < count; j++)
                sum[j] += a[i] * b[i * n + j];
    for (int j = 0; j < count; j++)
        c[j] = sum[j] + (beta != 0 ? beta * c[j] : 0);
}

static void multiply_row(int64_t n, int64_t k, const float *a, const float *b, float beta,
                         float *c) {
#pragma omp parallel for schedule(static) if (n * k >= FEW_OPERATIONS)
    for (int64_t j = 0; j < n; j += STRIP)
        multiply_strip(n, k, a, b + j, beta, n - j < STRIP ? (int)(n - j) : STRIP, c + j);
}

void dl_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
             const float *b, float beta, float *c) {
    if (m == 1 && !transpose_b) {
        multiply_row(n, k, a, b, beta, c);
        return;
    }
    if (prefers_onednn(m, n, k) && !dl_threads_are_busy() &&
        dl_onednn_gemm(transpose_a, transpose_b, m, n, k, a, b, beta, c))
        return;
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f,
                a, (blasint)(transpose_a ? m : k), b, (blasint)(transpose_b ? k : n), beta, c,
                (blasint)n);
}

void dl_gemm_activate(int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                      const float *bias, const dl_activation *f, float *c) {
    bool fused = f->kind == DL_RELU || (f->kind == DL_LINEAR && bias);
    if (fused && m > 1 && prefers_onednn(m, n, k) && !dl_threads_are_busy() &&
        dl_onednn_gemm_activate(m, n, k, a, b, bias, f->kind == DL_RELU, c))
        return;
    dl_gemm(false, false, m, n, k, a, b, 0, c);
    dl_activate(f, m, n, bias, c, c);
}
