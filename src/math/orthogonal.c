/* SPDX-License-Identifier: MIT */
/* By LAPACK's QR decomposition in double. A = QR is unique but for the signs of Q's columns, which
   are turned so that the diagonal of R is positive: as Gram and Schmidt would have it, and so that,
   from normal numbers, all orthogonal matrices are equally likely (Mezzadri, "How to generate
   random matrices from the classical compact groups", 2007).

   The Cayley transform: with the step D = W_before - W_after of n rows and p columns, n >= p,
     A = D W' - W D',  W <- (I + A/2)^-1 (I - A/2) W,
   which is orthogonal as W is, A being skew, and moves along the step to first order. Wen and Yin,
   "A feasible method for optimization with orthogonality constraints", Mathematical Programming
   2013, whose step is rate times the gradient. Where p is less than half of n, their lemma 4: with
   U = (D, W) and V = (W, -D), A = U V' and
     W <- W - U (I + V'U/2)^-1 V' W,
   a system of 2p equations in place of n. What rounding to float has left is taken out by one step
   of Newton's method, W <- W (3 I - W'W) / 2. */
#include "math/orthogonal.h"

#include <assert.h>
#include <cblas.h>
#include <stdbool.h>
#include <stdlib.h>

#include "math/threads.h"

#include "base/memory.h"

/* LAPACK, which OpenBLAS has in it; matrices by columns. */
void dgeqrf_(const int *rows, const int *columns, double *a, const int *lda, double *tau,
             double *work, const int *work_size, int *info);
void dorgqr_(const int *rows, const int *columns, const int *count, double *a, const int *lda,
             const double *tau, double *work, const int *work_size, int *info);

void dgesv_(const int *n, const int *right_sides, double *a, const int *lda, int *pivots, double *b,
            const int *ldb, int *info);

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
    int threads = dl_threads_alone();
    make_orthogonal((int)many, (int)few, a);
    dl_threads_set(threads);
    for (int64_t j = 0; j < few; j++)
        for (int64_t i = 0; i < many; i++)
            value[i * along + j * across] = (float)a[j * many + i];
    free(a);
}

/* C[m][n] = alpha · A B + beta · C, by columns; transposed as said. */
static void product(bool a_transposed, bool b_transposed, int m, int n, int k, double alpha,
                    const double *a, int lda, const double *b, int ldb, double beta, double *c,
                    int ldc) {
    cblas_dgemm(CblasColMajor, a_transposed ? CblasTrans : CblasNoTrans,
                b_transposed ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c,
                ldc);
}

/* Working memory, all by columns. side: of the system; n or 2p. */
typedef struct {
    int n, p, side;
    double *u;      /* [n][2p]: D, W */
    double *v;      /* [n][2p]: W, -D */
    double *matrix; /* [side][side] */
    double *skew;   /* [n][n], or nothing */
    double *right;  /* [side][p] */
    double *result; /* [n][p] */
    int *pivots;    /* [side] */
} cayley;

static cayley lay_out(int64_t rows, int64_t columns, double *work, int64_t *bytes) {
    int64_t n = rows > columns ? rows : columns, p = rows > columns ? columns : rows;
    int64_t side = 2 * p < n ? 2 * p : n, skew = side == n ? n * n : 0;
    cayley c = {.n = (int)n, .p = (int)p, .side = (int)side};
    int64_t at[7] = {0, 2 * n * p, 2 * n * p, side * side, skew, side * p, n * p};
    for (int i = 1; i < 7; i++)
        at[i] += at[i - 1];
    *bytes = at[6] * (int64_t)sizeof(double) + side * (int64_t)sizeof(int);
    if (!work)
        return c;
    c.u = work;
    c.v = work + at[1];
    c.matrix = work + at[2];
    c.skew = work + at[3];
    c.right = work + at[4];
    c.result = work + at[5];
    c.pivots = (int *)(work + at[6]);
    return c;
}

int64_t dl_cayley_work(int64_t rows, int64_t columns) {
    int64_t bytes;
    lay_out(rows, columns, NULL, &bytes);
    return bytes;
}

static void add_identity(double *matrix, int side) {
    for (int64_t i = 0; i < side; i++)
        matrix[i * side + i] += 1;
}

/* matrix · X = right; false if there is none. */
static bool solve(const cayley *c) {
    int info = 0;
    dgesv_(&c->side, &c->p, c->matrix, &c->side, c->pivots, c->right, &c->side, &info);
    return info == 0;
}

static bool move_small(const cayley *c) {
    int n = c->n, p = c->p, side = c->side;
    product(true, false, side, side, n, 0.5, c->v, n, c->u, n, 0, c->matrix, side);
    add_identity(c->matrix, side);
    product(true, false, side, p, n, 1, c->v, n, c->v, n, 0, c->right, side);
    if (!solve(c))
        return false;
    for (int64_t i = 0; i < (int64_t)n * p; i++)
        c->result[i] = c->v[i];
    product(false, false, n, p, side, -1, c->u, n, c->right, side, 1, c->result, n);
    return true;
}

static bool move_large(const cayley *c) {
    int n = c->n, p = c->p;
    product(false, true, n, n, 2 * p, 0.5, c->u, n, c->v, n, 0, c->skew, n);
    for (int64_t i = 0; i < (int64_t)n * n; i++)
        c->matrix[i] = c->skew[i];
    add_identity(c->matrix, n);
    for (int64_t i = 0; i < (int64_t)n * p; i++)
        c->right[i] = c->v[i];
    product(false, false, n, p, n, -1, c->skew, n, c->v, n, 1, c->right, n);
    if (!solve(c))
        return false;
    for (int64_t i = 0; i < (int64_t)n * p; i++)
        c->result[i] = c->right[i];
    return true;
}

/* Overwrites u with what it gives. */
static void polish(const cayley *c) {
    int n = c->n, p = c->p;
    product(true, false, p, p, n, -0.5, c->result, n, c->result, n, 0, c->matrix, p);
    for (int64_t i = 0; i < p; i++)
        c->matrix[i * p + i] += 1.5;
    product(false, false, n, p, p, 1, c->result, n, c->matrix, p, 0, c->u, n);
}

void dl_cayley(int64_t rows, int64_t columns, const float *before, float *value, void *work) {
    int64_t bytes, along = rows < columns ? 1 : columns, across = rows < columns ? columns : 1;
    cayley c = lay_out(rows, columns, work, &bytes);
    int64_t n = c.n, p = c.p;
    for (int64_t j = 0; j < p; j++)
        for (int64_t i = 0; i < n; i++) {
            int64_t at = i * along + j * across;
            double w = before[at], d = w - value[at];
            c.u[j * n + i] = d;
            c.u[(p + j) * n + i] = w;
            c.v[j * n + i] = w;
            c.v[(p + j) * n + i] = -d;
        }
    int threads = dl_threads_alone();
    bool moved = c.side < c.n ? move_small(&c) : move_large(&c);
    if (moved)
        polish(&c);
    dl_threads_set(threads);
    for (int64_t j = 0; moved && j < p; j++)
        for (int64_t i = 0; i < n; i++)
            value[i * along + j * across] = (float)c.u[j * n + i];
}
