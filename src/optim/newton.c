/* SPDX-License-Identifier: MIT */
/* Newton's method:
     theta += a p,   (H + lambda I) p = -g,
   g the gradient and H the Hessian, each column of which is a central difference of two gradients:
     H e_i = (g(theta + h e_i) - g(theta - h e_i)) / 2h,   h = precision^(1/3) max(1, |theta_i|).
   lambda is 0 if the Cholesky decomposition then exists, else the first of an increasing series
   with which it does (Nocedal and Wright, "Numerical Optimization", 2nd edition, 2006, algorithm
   3.3), and a the first of 1, 1/2, 1/4, … that decreases f sufficiently (Armijo 1966). An iteration
   needs 2n + 1 gradients and two n x n matrices. */
#include <math.h>
#include <string.h>

#include "math/solve.h"
#include "optim/line_search.h"

typedef struct {
    dl_minimizer_common common;
} newton;

static const dl_option options[] = {DL_MOST_PARAMETERS_OPTION(newton), DL_OPTIONS_END};

static int64_t state_count(const void *self, int64_t n) {
    (void)self;
    return n;
}

static int64_t work_count(const void *self, const dl_function *f) {
    (void)self;
    return 2 * f->count * f->count + 4 * f->count;
}

/* h[n][n], the symmetrized Hessian. point[n] and other[n] are working memory. */
static void compute_hessian(dl_function *f, const double *theta, double *point, double *other,
                            double *h) {
    int64_t n = f->count;
    memcpy(point, theta, sizeof *point * (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        double step = cbrt(f->precision) * fmax(1, fabs(theta[i]));
        point[i] = theta[i] + step;
        f->evaluate(f, point, h + i * n);
        point[i] = theta[i] - step;
        f->evaluate(f, point, other);
        point[i] = theta[i];
        for (int64_t j = 0; j < n; j++)
            h[i * n + j] = (h[i * n + j] - other[j]) / (2 * step);
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            h[i * n + j] = h[j * n + i] = (h[i * n + j] + h[j * n + i]) / 2;
}

/* p = -(h + lambda I)^-1 g with the first lambda that works; false if none does. */
static bool solve(int64_t n, const double *h, const double *g, double *factor, double *p) {
    enum { TRIES = 60 };
    static const double FIRST = 1e-3; /* relative to the largest element of the diagonal */
    double least = INFINITY, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        least = fmin(least, h[i * n + i]);
        largest = fmax(largest, fabs(h[i * n + i]));
    }
    double first = largest > 0 ? FIRST * largest : FIRST, lambda = least > 0 ? 0 : first - least;
    for (int k = 0; k < TRIES; k++) {
        memcpy(factor, h, sizeof *h * (size_t)(n * n));
        for (int64_t i = 0; i < n; i++) {
            factor[i * n + i] += lambda;
            p[i] = -g[i];
        }
        if (dl_cholesky_solve(n, factor, p))
            return true;
        lambda = fmax(2 * lambda, first);
    }
    return false;
}

static double minimize(const void *self, dl_function *f, const dl_iteration *it) {
    (void)self;
    int64_t n = f->count;
    double *h = it->work, *factor = h + n * n, *g = factor + n * n, *p = g + n, *trial = p + n;
    double *other = trial + n, *theta = it->state;
    double value = f->evaluate(f, theta, g);
    if (!isfinite(value))
        return 0;
    compute_hessian(f, theta, trial, other, h);
    if (!solve(n, h, g, factor, p) || !(dl_dot(n, g, p) < 0))
        for (int64_t i = 0; i < n; i++)
            p[i] = -g[i];
    dl_line line = {f, theta, p, value, dl_dot(n, g, p), trial, NULL, 0};
    double a = line.slope < 0 ? dl_line_armijo(&line) : 0;
    if (a > 0)
        memcpy(theta, trial, sizeof *theta * (size_t)n);
    return a;
}

const dl_optimizer_type dl_optimizer_newton = {
    .kind = {"newton",
             "Newton's method, with the Hessian from differences of gradients. Each epoch is one "
             "step on the full batch, and takes 2n + 1 passes over the data for n parameters. For "
             "very small networks with smooth activations",
             sizeof(newton), options},
    .full_batch = &(const dl_full_batch_method){.minimize = minimize,
                                                .state_count = state_count,
                                                .work_count = work_count},
};
