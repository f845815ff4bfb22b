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

void dl_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
             const float *b, float beta, float *c) {
    if (prefers_onednn(m, n, k) && !dl_threads_are_busy() &&
        dl_onednn_gemm(transpose_a, transpose_b, m, n, k, a, b, beta, c))
        return;
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f,
                a, (blasint)(transpose_a ? m : k), b, (blasint)(transpose_b ? k : n), beta, c,
                (blasint)n);
}
