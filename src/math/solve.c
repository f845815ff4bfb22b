/* SPDX-License-Identifier: MIT */
/* Least squares by rows: the triangle R of [J b] = QR is all that is kept. A block of further rows
   is put below R, and the QR decomposition of both is the next one: J'J is never formed, which
   would square its condition number. LAPACK's matrices go by columns; a symmetric one by rows is
   the same, its lower triangle being LAPACK's upper one. */
#include "math/solve.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "math/threads.h"

/* LAPACK; matrices by columns. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dgeqrf_(const int *rows, const int *columns, double *a, const int *lda, double *tau,
             double *work, const int *work_size, int *info);
void dgelsd_(const int *rows, const int *columns, const int *sides, double *a, const int *lda,
             double *b, const int *ldb, double *s, const double *rcond, int *rank, double *work,
             const int *work_size, int *iwork, int *info);

enum { BLOCK = 32 };

double dl_dot(int64_t n, const double *a, const double *b) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

void dl_symmetric_times(int64_t n, const double *a, const double *x, double *y) {
    int threads = dl_threads_alone();
    cblas_dsymv(CblasRowMajor, CblasLower, (int)n, 1, a, (int)n, x, 1, 0, y, 1);
    dl_threads_set(threads);
}

void dl_symmetric_add(int64_t n, double c, const double *x, double *a) {
    int threads = dl_threads_alone();
    cblas_dsyr(CblasRowMajor, CblasLower, (int)n, c, x, 1, a, (int)n);
    dl_threads_set(threads);
}

void dl_symmetric_add_pair(int64_t n, double c, const double *x, const double *y, double *a) {
    int threads = dl_threads_alone();
    cblas_dsyr2(CblasRowMajor, CblasLower, (int)n, c, x, 1, y, 1, a, (int)n);
    dl_threads_set(threads);
}

void dl_symmetric_add_rows(int64_t n, int64_t count, const double *rows, double *a) {
    int threads = dl_threads_alone();
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)n, (int)count, 1, rows, (int)n, 1, a,
                (int)n);
    dl_threads_set(threads);
}

void dl_add_rows_times(int64_t n, int64_t count, const double *rows, const double *x, double *y) {
    int threads = dl_threads_alone();
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)count, (int)n, 1, rows, (int)n, x, 1, 1, y, 1);
    dl_threads_set(threads);
}

bool dl_cholesky_solve(int64_t n, double *a, double *b) {
    int size = (int)n, info = 0, threads = dl_threads_alone();
    dpotrf_("U", &size, a, &size, &info);
    bool definite = info == 0;
    for (int64_t i = 0; definite && i < n; i++) /* a pivot of inf or NaN passes dpotrf */
        definite = isfinite(a[i * n + i]) && a[i * n + i] > 0;
    if (definite) {
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, size, a, size, b, 1);
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, size, a, size, b, 1);
    }
    dl_threads_set(threads);
    return definite;
}

int64_t dl_triangle_work(int64_t n, int64_t most_rows) {
    return (n + 1 + most_rows) * (n + 1) + (BLOCK + 1) * (n + 1);
}

void dl_triangle_add(int64_t n, int64_t count, const double *j, const double *b, double *r,
                     double *work) {
    int64_t columns = n + 1, rows = columns + count;
    double *stack = work, *tau = stack + rows * columns, *rest = tau + columns;
    for (int64_t c = 0; c < columns; c++) {
        double *column = stack + c * rows;
        for (int64_t i = 0; i < columns; i++)
            column[i] = i <= c ? r[i * columns + c] : 0;
        for (int64_t i = 0; i < count; i++)
            column[columns + i] = c < n ? j[i * n + c] : b[i];
    }
    int m = (int)rows, k = (int)columns, size = BLOCK * k, info = 0, threads = dl_threads_alone();
    dgeqrf_(&m, &k, stack, &m, tau, rest, &size, &info);
    dl_threads_set(threads);
    assert(info == 0);
    (void)info;
    for (int64_t i = 0; i < columns; i++)
        for (int64_t c = i; c < columns; c++)
            r[i * columns + c] = stack[c * rows + i];
}

/* dgelsd's, by its documentation: with SMLSIZ at most 50, and NLVL at most 32 levels of halving. */
enum { SMALL = 50, LEVELS = 32 };

static int64_t solver_work(int64_t n) {
    return 12 * n + 2 * n * SMALL + 8 * n * LEVELS + n + (SMALL + 1) * (SMALL + 1) + BLOCK * n;
}

static int64_t solver_integers(int64_t n) {
    return 3 * n * LEVELS + 11 * n;
}

int64_t dl_triangle_solve_work(int64_t n) {
    return n * n + 2 * n + solver_work(n) + (solver_integers(n) + 1) / 2;
}

int64_t dl_triangle_solve(int64_t n, const double *r, bool scaled, double smallest, double *x,
                          double *work) {
    double *a = work, *length = a + n * n, *singular = length + n, *rest = singular + n;
    int *integers = (int *)(rest + solver_work(n));
    for (int64_t c = 0; c < n; c++) {
        double square = 0;
        for (int64_t i = 0; i <= c; i++)
            square += r[i * (n + 1) + c] * r[i * (n + 1) + c];
        length[c] = scaled && square > 0 ? sqrt(square) : 1;
        for (int64_t i = 0; i < n; i++)
            a[c * n + i] = i <= c ? r[i * (n + 1) + c] / length[c] : 0;
        x[c] = r[c * (n + 1) + n];
    }
    int size = (int)n, one = 1, rank = 0, info = 0, room = (int)solver_work(n),
        threads = dl_threads_alone();
    dgelsd_(&size, &size, &one, a, &size, x, &size, singular, &smallest, &rank, rest, &room,
            integers, &info);
    dl_threads_set(threads);
    for (int64_t c = 0; c < n; c++)
        x[c] = info ? NAN : x[c] / length[c];
    return rank;
}
