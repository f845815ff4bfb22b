/* By LAPACK's QR decomposition in double. A = QR is unique but for the signs of Q's columns, which
   are turned so that the diagonal of R is positive: as Gram and Schmidt would have it, and so that,
   from normal numbers, all orthogonal matrices are equally likely (Mezzadri, "How to generate
   random matrices from the classical compact groups", 2007). */
#include "math/orthogonal.h"

#include <assert.h>
#include <cblas.h>
#include <stdlib.h>

#include "base/memory.h"

/* LAPACK, which OpenBLAS has in it; matrices by columns. */
void dgeqrf_(const int *rows, const int *columns, double *a, const int *lda, double *tau,
             double *work, const int *work_size, int *info);
void dorgqr_(const int *rows, const int *columns, const int *count, double *a, const int *lda,
             const double *tau, double *work, const int *work_size, int *info);

/* a[columns][rows] (by columns; rows >= columns) becomes Q. */
static void make_orthogonal(int rows, int columns, double *a) {
    enum { BLOCK = 64 };
    int info = 0, work_size = BLOCK * columns;
    double *tau = xmalloc(sizeof *tau * (size_t)columns);
    double *sign = xmalloc(sizeof *sign * (size_t)columns);
    double *work = xmalloc(sizeof *work * (size_t)work_size);
    dgeqrf_(&rows, &columns, a, &rows, tau, work, &work_size, &info);
    assert(info == 0);
    for (int64_t j = 0; j < columns; j++)
        sign[j] = a[j * rows + j] < 0 ? -1 : 1;
    dorgqr_(&rows, &columns, &columns, a, &rows, tau, work, &work_size, &info);
    assert(info == 0);
    for (int64_t j = 0; j < columns; j++)
        for (int64_t i = 0; i < rows; i++)
            a[j * rows + i] *= sign[j];
    free(tau);
    free(sign);
    free(work);
}

void dl_orthogonalize(int64_t rows, int64_t columns, float *value) {
    int64_t few = rows < columns ? rows : columns, many = rows < columns ? columns : rows;
    /* where element i of vector j stands, of `few` vectors of `many` numbers */
    int64_t along = rows < columns ? 1 : columns, across = rows < columns ? columns : 1;
    double *a = xmalloc(sizeof *a * (size_t)(few * many));
    assert(few > 0 && many <= INT32_MAX);
    for (int64_t j = 0; j < few; j++)
        for (int64_t i = 0; i < many; i++)
            a[j * many + i] = value[i * along + j * across];
    int threads = openblas_get_num_threads(); /* in how many parts its sums are, is up to them */
    openblas_set_num_threads(1);
    make_orthogonal((int)many, (int)few, a);
    openblas_set_num_threads(threads);
    for (int64_t j = 0; j < few; j++)
        for (int64_t i = 0; i < many; i++)
            value[i * along + j * across] = (float)a[j * many + i];
    free(a);
}
