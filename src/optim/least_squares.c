/* SPDX-License-Identifier: MIT */
/* Methods for sums of squares f = |r|^2 / 2, with J = dr/dtheta, which approximate the Hessian by
   J'J. Each iteration computes one J:
     gauss_newton          theta += a p,  p = the shortest minimizer of |J p + r|, by an orthogonal
                           factorization of J; a the first of 1, 1/2, 1/4, … that decreases f
                           sufficiently
     levenberg             theta += p,  (J'J + lambda I) p = -J'r:  Levenberg 1944
     levenberg_marquardt   theta += p,  (J'J + lambda D) p = -J'r,  D the diagonal of J'J:
                           Marquardt, "An algorithm for least-squares estimation of nonlinear
                           parameters", 1963; each element the largest so far, which restrains
                           saturated units: Moré, "The Levenberg-Marquardt algorithm: implementation
                           and theory", 1978
   A step that decreases f is accepted, and lambda divided by `down`. Otherwise theta is unchanged,
   lambda is multiplied by `up`, and the same J is used again, up to TRIES times per iteration. */
#include <math.h>
#include <string.h>

#include "math/solve.h"
#include "optim/line_search.h"

typedef struct {
    dl_minimizer_common common;
} gauss_newton;

typedef struct {
    dl_minimizer_common common;
    double lambda, up, down;
} damped;

enum { TRIES = 10 };
static const double LEAST_LAMBDA = 1e-15, MOST_LAMBDA = 1e15;

static const dl_option gauss_newton_options[] = {
    DL_MOST_PARAMETERS_OPTION(gauss_newton),
    DL_OPTIONS_END,
};

static const dl_option damped_options[] = {
    DL_MOST_PARAMETERS_OPTION(damped),
    DL_FLOAT_OPTION("lambda", damped, lambda, "0.01", 1e-15, 1e15,
                    "initial damping: large values give short steps along the gradient, small ones "
                    "the steps of gauss_newton"),
    DL_FLOAT_OPTION("up", damped, up, "10", 1.01, 1e6,
                    "factor of lambda after a step that increased the loss, and was rejected"),
    DL_FLOAT_OPTION("down", damped, down, "10", 1.01, 1e6,
                    "divisor of lambda after an accepted step"),
    DL_OPTIONS_END,
};

/* ---- levenberg, levenberg_marquardt ---- */

typedef struct {
    int64_t n;
    double *a, *g; /* lower triangle of J'J; J'r */
} normal;

static void add_normal_rows(void *context, int64_t rows, const double *j, const double *r) {
    const normal *m = context;
    dl_symmetric_add_rows(m->n, rows, j, m->a);
    dl_add_rows_times(m->n, rows, j, r, m->g);
}

/* weight[n], the diagonal D: the largest value so far of each element, and never 0, even if f does
   not depend on a parameter. */
static void update_weights(const normal *m, double *weight) {
    static const double FLOOR = 1e-9;
    double largest = 0;
    for (int64_t i = 0; i < m->n; i++)
        largest = fmax(largest, m->a[i * m->n + i]);
    for (int64_t i = 0; i < m->n; i++)
        weight[i] = fmax(weight[i], fmax(m->a[i * m->n + i], FLOOR * largest));
}

/* weight: NULL means 1 each. */
static bool solve_damped(const normal *m, const double *weight, double lambda, double *factor,
                         double *p) {
    memcpy(factor, m->a, sizeof *factor * (size_t)(m->n * m->n));
    for (int64_t i = 0; i < m->n; i++) {
        factor[i * m->n + i] += lambda * (weight ? weight[i] : 1);
        p[i] = -m->g[i];
    }
    return dl_cholesky_solve(m->n, factor, p);
}

static double minimize_damped(const damped *self, bool diagonal, dl_function *f,
                              const dl_iteration *it) {
    int64_t n = f->count;
    double *theta = it->state, *lambda = it->state + n, *weight = diagonal ? lambda + 1 : NULL;
    double *factor = it->work + n * n, *p = factor + n * n, *trial = p + n;
    normal m = {n, it->work, trial + n};
    memset(m.a, 0, sizeof *m.a * (size_t)(n * n));
    memset(m.g, 0, sizeof *m.g * (size_t)n);
    if (*lambda == 0)
        *lambda = self->lambda;
    double value = f->squares(f, theta, add_normal_rows, &m);
    if (diagonal)
        update_weights(&m, weight);
    for (int k = 0; k < TRIES && isfinite(value); k++) {
        bool solved = solve_damped(&m, weight, *lambda, factor, p);
        for (int64_t i = 0; i < n; i++)
            trial[i] = theta[i] + p[i];
        if (solved && f->evaluate(f, trial, NULL) < value) { /* false for NaN */
            memcpy(theta, trial, sizeof *theta * (size_t)n);
            *lambda = fmax(*lambda / self->down, LEAST_LAMBDA);
            return 1;
        }
        *lambda = fmin(*lambda * self->up, MOST_LAMBDA);
    }
    return 0;
}

static double minimize_levenberg(const void *self, dl_function *f, const dl_iteration *it) {
    return minimize_damped(self, false, f, it);
}

static double minimize_marquardt(const void *self, dl_function *f, const dl_iteration *it) {
    return minimize_damped(self, true, f, it);
}

static int64_t state_levenberg(const void *self, int64_t n) {
    (void)self;
    return n + 1;
}

static int64_t state_marquardt(const void *self, int64_t n) {
    (void)self;
    return 2 * n + 1;
}

static int64_t work_damped(const void *self, const dl_function *f) {
    (void)self;
    return 2 * f->count * f->count + 3 * f->count;
}

/* ---- gauss_newton ---- */

typedef struct {
    int64_t n;
    double *r, *work; /* the triangle of [J r] */
} triangle;

static void add_triangle_rows(void *context, int64_t rows, const double *j, const double *r) {
    const triangle *t = context;
    dl_triangle_add(t->n, rows, j, r, t->r, t->work);
}

/* |J p|^2, from the triangle */
static double length_of_change(const triangle *t, const double *p) {
    double square = 0;
    for (int64_t i = 0; i < t->n; i++) {
        const double *row = t->r + i * (t->n + 1);
        double sum = dl_dot(t->n - i, row + i, p + i);
        square += sum * sum;
    }
    return square;
}

static int64_t scratch_size(const dl_function *f) {
    int64_t adding = dl_triangle_work(f->count, f->most_rows);
    int64_t solving = dl_triangle_solve_work(f->count);
    return adding > solving ? adding : solving;
}

static double minimize_gauss_newton(const void *self, dl_function *f, const dl_iteration *it) {
    static const double ROUNDING = 16; /* of J, relative to f->precision */
    (void)self;
    int64_t n = f->count, size = (n + 1) * (n + 1);
    double *theta = it->state, *p = it->work + size, *trial = p + n;
    triangle t = {n, it->work, trial + n};
    memset(t.r, 0, sizeof *t.r * (size_t)size);
    double value = f->squares(f, theta, add_triangle_rows, &t);
    if (!isfinite(value))
        return 0;
    dl_triangle_solve(n, t.r, false, ROUNDING * f->precision, p, t.work);
    for (int64_t i = 0; i < n; i++)
        p[i] = -p[i];
    dl_line line = {f, theta, p, value, -length_of_change(&t, p), trial, NULL, 0};
    double a = line.slope < 0 ? dl_line_armijo(&line) : 0;
    if (a > 0)
        memcpy(theta, trial, sizeof *theta * (size_t)n);
    return a;
}

static int64_t state_gauss_newton(const void *self, int64_t n) {
    (void)self;
    return n;
}

static int64_t work_gauss_newton(const void *self, const dl_function *f) {
    (void)self;
    return (f->count + 1) * (f->count + 1) + 2 * f->count + scratch_size(f);
}

const dl_optimizer_type dl_optimizer_gauss_newton = {
    .kind = {"gauss_newton",
             "Gauss-Newton, for loss \"mse\": solves for the step as if the outputs were linear in "
             "the parameters, and halves it until the loss decreases. Each epoch is one step on "
             "the full batch. For small, nearly linear problems; otherwise use levenberg_marquardt",
             sizeof(gauss_newton), gauss_newton_options},
    .full_batch = &(const dl_full_batch_method){.minimize = minimize_gauss_newton,
                                                .state_count = state_gauss_newton,
                                                .work_count = work_gauss_newton,
                                                .needs_squares = true},
};

const dl_optimizer_type dl_optimizer_levenberg = {
    .kind = {"levenberg",
             "Levenberg's method, for loss \"mse\": Gauss-Newton damped by lambda times the "
             "identity, which shortens steps where the linear approximation fails. Each epoch is "
             "one step on the full batch",
             sizeof(damped), damped_options},
    .full_batch = &(const dl_full_batch_method){.minimize = minimize_levenberg,
                                                .state_count = state_levenberg,
                                                .work_count = work_damped,
                                                .needs_squares = true},
};

const dl_optimizer_type dl_optimizer_levenberg_marquardt = {
    .kind =
        {"levenberg_marquardt",
         "Levenberg-Marquardt, for loss \"mse\": Gauss-Newton damped by lambda times its diagonal, "
         "which makes it independent of the scales of the parameters. Each epoch is one step on "
         "the full batch. The first choice for regression with up to a few hundred parameters",
         sizeof(damped), damped_options},
    .full_batch = &(const dl_full_batch_method){.minimize = minimize_marquardt,
                                                .state_count = state_marquardt,
                                                .work_count = work_damped,
                                                .needs_squares = true},
};
