/* SPDX-License-Identifier: MIT */
#include "math/pca.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "math/solve.h"
#include "math/threads.h"

/* LAPACK: eigenvalues number il … iu of a symmetric matrix, ascending, and their vectors. */
void dsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a,
             const int *lda, const double *vl, const double *vu, const int *il, const int *iu,
             const double *abstol, int *m, double *w, double *z, const int *ldz, int *isuppz,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

enum { BLOCK = 64 };

static void find_mean(dl_pca *p, const float *x, int64_t rows) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < p->dims; j++)
            p->mean[j] += (double)x[i * p->dims + j];
    for (int64_t j = 0; j < p->dims; j++)
        p->mean[j] /= (double)rows;
}

/* The lower triangle of X'X, or of XX' if there are fewer rows than dims, for centered X. */
static double *products(const dl_pca *p, const float *x, int64_t rows, int64_t side) {
    bool wide = rows < p->dims;
    int64_t sums = wide ? p->dims : rows;
    double *a = xcalloc((size_t)(side * side), sizeof *a);
    double *block = xmalloc(sizeof *block * (size_t)(BLOCK * side));
    for (int64_t first = 0; first < sums; first += BLOCK) {
        int64_t count = sums - first < BLOCK ? sums - first : BLOCK;
        for (int64_t b = 0; b < count; b++)
            for (int64_t i = 0; i < side; i++) {
                int64_t row = wide ? i : first + b, j = wide ? first + b : i;
                block[b * side + i] = (double)x[row * p->dims + j] - p->mean[j];
            }
        dl_symmetric_add_rows(side, count, block, a);
    }
    free(block);
    return a;
}

/* The largest `count` eigenvalues and vectors z[count][side], the smallest of them first. */
static int decompose(double *a, int64_t side, int64_t count, double *w, double *z) {
    int n = (int)side, first = (int)(side - count + 1), found = 0, info = 0;
    int size = 40 * n, integers = 10 * n;
    double zero = 0, *work = xmalloc(sizeof *work * (size_t)size);
    int *more = xmalloc(sizeof *more * (size_t)(integers + 2 * n));
    int threads = dl_threads_alone();
    dsyevr_("V", "I", "U", &n, a, &n, &zero, &zero, &first, &n, &zero, &found, w, z, &n,
            more + integers, work, &size, more, &integers, &info);
    dl_threads_set(threads);
    free(work);
    free(more);
    return info || found != count ? -1 : 0;
}

/* component = X' z / |X' z| for a vector z of XX', or z itself. */
static void set_component(dl_pca *p, int64_t k, const double *z, const float *x, int64_t rows) {
    double *c = p->component + k * p->dims, square = 0;
    int64_t largest = 0;
    for (int64_t i = 0; i < rows && rows < p->dims; i++)
        for (int64_t j = 0; j < p->dims; j++)
            c[j] += z[i] * ((double)x[i * p->dims + j] - p->mean[j]);
    for (int64_t j = 0; j < p->dims; j++) {
        c[j] = rows < p->dims ? c[j] : z[j];
        square += c[j] * c[j];
        largest = fabs(c[j]) > fabs(c[largest]) ? j : largest;
    }
    double scale = square > 0 ? (c[largest] < 0 ? -1 : 1) / sqrt(square) : 0;
    for (int64_t j = 0; j < p->dims; j++)
        c[j] *= scale;
}

int dl_pca_fit(dl_pca *p, const float *x, int64_t rows, int64_t dims, int64_t count) {
    int64_t side = rows < dims ? rows : dims;
    *p = (dl_pca){.dims = dims, .count = count};
    p->mean = xcalloc((size_t)dims, sizeof *p->mean);
    p->component = xcalloc((size_t)(count * dims), sizeof *p->component);
    p->variance = xcalloc((size_t)count, sizeof *p->variance);
    find_mean(p, x, rows);
    double *a = products(p, x, rows, side), *w = xmalloc(sizeof *w * (size_t)side);
    double *z = xmalloc(sizeof *z * (size_t)(side * count));
    for (int64_t i = 0; i < side; i++)
        p->total += a[i * side + i] / (double)(rows - 1);
    int result = decompose(a, side, count, w, z);
    for (int64_t k = 0; k < count && !result; k++) {
        p->variance[k] = fmax(0, w[count - 1 - k]) / (double)(rows - 1);
        set_component(p, k, z + (count - 1 - k) * side, x, rows);
    }
    free(a);
    free(w);
    free(z);
    return result;
}

void dl_pca_apply(const dl_pca *p, const float *x, int64_t rows, float *out) {
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < p->count; k++) {
            double sum = 0;
            for (int64_t j = 0; j < p->dims; j++)
                sum += p->component[k * p->dims + j] * ((double)x[i * p->dims + j] - p->mean[j]);
            out[i * p->count + k] = (float)sum;
        }
}

void dl_pca_free(dl_pca *p) {
    free(p->mean);
    free(p->component);
    free(p->variance);
    *p = (dl_pca){0};
}
