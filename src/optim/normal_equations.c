/* SPDX-License-Identifier: MIT */
/* Linear least squares in one step. Outputs that are linear in the parameters, as of one dense
   layer without an activation, have r = J theta + r_0 with a constant J, so theta = argmin |J theta
   + r_0|^2, the solution of the normal equations J'J theta = -J'r_0. These are not formed, which
   would square the condition number: an orthogonal factorization J = QR, computed from blocks of
   rows, and the singular values of R give the same theta. If the columns of J are linearly
   dependent, it is the shortest minimizer (with parameters scaled by the lengths of their columns).
   Golub and Van Loan, "Matrix Computations", chapter 5. */
#include <math.h>
#include <string.h>

#include "math/solve.h"
#include "optim/optimizer.h"

typedef struct {
    dl_minimizer_common common;
} normal_equations;

static const dl_option options[] = {DL_MOST_PARAMETERS_OPTION(normal_equations), DL_OPTIONS_END};

static int64_t state_count(const void *self, int64_t n) {
    (void)self;
    return n;
}

static int64_t work_count(const void *self, const dl_function *f) {
    (void)self;
    int64_t n = f->count, adding = dl_triangle_work(n, f->most_rows);
    int64_t solving = dl_triangle_solve_work(n);
    return (n + 1) * (n + 1) + n * n + n + (adding > solving ? adding : solving);
}

typedef struct {
    int64_t n;
    double *r;       /* the triangle of [J r_0]; [n + 1][n + 1] */
    double *product; /* J'J at another theta; [n][n] */
    double *x;       /* [n] */
    double *work;
} workspace;

static workspace open_work(int64_t n, double *work) {
    double *product = work + (n + 1) * (n + 1), *x = product + n * n;
    return (workspace){n, work, product, x, x + n};
}

static void add_triangle_rows(void *context, int64_t rows, const double *j, const double *r) {
    const workspace *p = context;
    dl_triangle_add(p->n, rows, j, r, p->r, p->work);
}

static void add_product_rows(void *context, int64_t rows, const double *j, const double *r) {
    const workspace *p = context;
    (void)r;
    dl_symmetric_add_rows(p->n, rows, j, p->product);
}

/* x = theta, from r at theta = 0, which avoids cancellation. Returns the rank of J, or -1. */
static int64_t solve(dl_function *f, const workspace *p) {
    static const double ROUNDING = 16; /* of J, relative to f->precision */
    int64_t n = p->n;
    memset(p->r, 0, sizeof *p->r * (size_t)((n + 1) * (n + 1)));
    memset(p->x, 0, sizeof *p->x * (size_t)n);
    if (!isfinite(f->squares(f, p->x, add_triangle_rows, (void *)p)))
        return -1;
    int64_t rank = dl_triangle_solve(n, p->r, true, ROUNDING * f->precision, p->x, p->work);
    for (int64_t i = 0; i < n; i++)
        p->x[i] = -p->x[i];
    return rank;
}

/* Whether R'R equals J'J at another theta, that is whether J is constant. */
static bool is_same(const workspace *p) {
    static const double TOLERANCE = 1e-4;
    int64_t n = p->n;
    double largest = 0, difference = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t k = 0; k <= j; k++)
                sum += p->r[k * (n + 1) + i] * p->r[k * (n + 1) + j];
            largest = fmax(largest, fabs(sum));
            difference = fmax(difference, fabs(sum - p->product[i * n + j]));
        }
    return difference <= TOLERANCE * largest;
}

static int begin(const void *self, dl_function *f, const dl_iteration *it, const char *where,
                 dl_text *note, dl_error *error) {
    (void)self;
    int64_t n = f->count;
    workspace p = open_work(n, it->work);
    memset(p.product, 0, sizeof *p.product * (size_t)(n * n));
    f->squares(f, it->state, add_product_rows, &p);
    int64_t rank = solve(f, &p);
    if (rank < 0)
        return 0; /* the trainer reports values that are not finite */
    if (!is_same(&p))
        return dl_fail(
            error, DL_USAGE,
            "%s: normal_equations needs outputs that are linear in the parameters, as of one "
            "dense layer without activation, but these are not (use levenberg_marquardt)",
            where);
    if (rank < n)
        dl_text_add(
            note,
            "the inputs are linearly dependent (rank %lld of %lld): the solution of least norm "
            "is used",
            (long long)rank, (long long)n);
    return 0;
}

/* Only the first iteration does anything. */
static double minimize(const void *self, dl_function *f, const dl_iteration *it) {
    (void)self;
    workspace p = open_work(f->count, it->work);
    if (it->t > 1 || solve(f, &p) < 0)
        return 0;
    memcpy(it->state, p.x, sizeof *p.x * (size_t)p.n);
    return 1;
}

const dl_optimizer_type dl_optimizer_normal_equations = {
    .kind = {"normal_equations",
             "linear least squares, for loss \"mse\" and a single dense layer without activation: "
             "the first epoch reaches the minimum, by an orthogonal factorization",
             sizeof(normal_equations), options},
    .full_batch = &(const dl_full_batch_method){.minimize = minimize,
                                                .state_count = state_count,
                                                .work_count = work_count,
                                                .begin = begin,
                                                .needs_squares = true},
};
