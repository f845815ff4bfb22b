/* SPDX-License-Identifier: MIT */
/* Quasi-Newton methods, which estimate the curvature from gradients g. With the last step
   s = theta' - theta, y = g' - g, and r = 1 / s'y:
     bfgs:   theta += a p,  p = -H g,   H = (I - r s y') H (I - r y s') + r s s'
             with an n x n matrix H, initially I · s'y / y'y. Broyden, Fletcher, Goldfarb, Shanno
             1970; Nocedal and Wright, "Numerical Optimization", 2nd edition, 2006, (6.17), (6.20).
     lbfgs:  the same from only the last m pairs (s, y), by two loops over them: Liu and Nocedal,
   "On the limited memory BFGS method for large scale optimization", 1989. a satisfies the strong
   Wolfe conditions. If p is not a descent direction, or the line search fails, the curvature is
   reset, and the step is along -g. Pairs without clearly positive s'y are skipped. */
#include <math.h>
#include <string.h>

#include "math/solve.h"
#include "optim/line_search.h"

typedef struct {
    dl_minimizer_common common;
    double curvature;
} bfgs;

typedef struct {
    dl_minimizer_common common;
    double curvature;
    int64_t history;
} lbfgs;

#define CURVATURE_OPTION(owner)                                                                    \
    DL_FLOAT_OPTION(                                                                               \
        "curvature", owner, curvature, "0.1", 0.001, 0.999,                                        \
        "curvature constant of the line search, the share of the slope that a step may leave: "    \
        "0.9 is usual; 0.1 searches each direction more exactly, with fewer iterations of more "   \
        "passes")

static const dl_option bfgs_options[] = {
    DL_MOST_PARAMETERS_OPTION(bfgs),
    CURVATURE_OPTION(bfgs),
    DL_OPTIONS_END,
};

static const dl_option lbfgs_options[] = {
    DL_INT_OPTION("history", lbfgs, history, "10", 1, 1000,
                  "number of past steps to keep, two vectors each; 3 to 20 is usual"),
    CURVATURE_OPTION(lbfgs),
    DL_OPTIONS_END,
};

/* The state of both methods. */
typedef struct {
    double *theta, *gradient; /* [n] */
    double *value;            /* f(theta) */
    double *learned;          /* number of pairs since the last restart */
    double *ready;            /* value and gradient are set */
    double *rest;             /* H[n][n], or s[m][n] and y[m][n] */
} memory;

enum { NUMBERS = 3 };

static memory open_state(int64_t n, double *state) {
    double *numbers = state + 2 * n;
    return (memory){state, state + n, numbers, numbers + 1, numbers + 2, numbers + NUMBERS};
}

/* Working memory: the direction, and the end of the line search. */
typedef struct {
    double *direction, *trial, *gradient; /* [n] */
    double *rest;                         /* [n] */
} space;

static space open_work(int64_t n, double *work) {
    return (space){work, work + n, work + 2 * n, work + 3 * n};
}

/* One method: `direct` computes p = -H g, `learn` updates H from s and y. */
typedef struct {
    int64_t n, most; /* most: pairs of lbfgs */
    double curvature;
    void (*direct)(const memory *m, const space *w, int64_t n, int64_t most);
    void (*learn)(const memory *m, const space *w, int64_t n, int64_t most);
} method;

static bool evaluate_first(dl_function *f, const memory *m) {
    if (*m->ready == 0) {
        *m->value = f->evaluate(f, m->theta, m->gradient);
        *m->ready = isfinite(*m->value);
    }
    return *m->ready != 0;
}

/* Step length along the direction of the method; 0: none was found. */
static double search(const method *k, dl_function *f, const memory *m, const space *w,
                     double *found) {
    k->direct(m, w, k->n, k->most);
    dl_line line = {f,
                    m->theta,
                    w->direction,
                    *m->value,
                    dl_dot(k->n, m->gradient, w->direction),
                    w->trial,
                    w->gradient,
                    0};
    if (!(line.slope < 0))
        return 0;
    /* the scale of the first step is unknown */
    double first = *m->learned > 0 ? 1 : fmin(1, 1 / sqrt(-line.slope));
    double a = dl_line_wolfe(&line, first, k->curvature);
    *found = line.found;
    return a;
}

/* Moves to the end of the line search; direction and gradient become s and y. */
static void advance(const method *k, const memory *m, const space *w, double found) {
    double *s = w->direction, *y = w->gradient;
    for (int64_t i = 0; i < k->n; i++) {
        double g = y[i];
        s[i] = w->trial[i] - m->theta[i];
        y[i] = g - m->gradient[i];
        m->theta[i] = w->trial[i];
        m->gradient[i] = g;
    }
    *m->value = found;
    static const double CLEARLY = 1e-10;
    double sy = dl_dot(k->n, s, y), ss = dl_dot(k->n, s, s), yy = dl_dot(k->n, y, y);
    if (!(sy > CLEARLY * sqrt(ss * yy)))
        return;
    k->learn(m, w, k->n, k->most);
    ++*m->learned;
}

static double iterate(const method *k, dl_function *f, const dl_iteration *it) {
    memory m = open_state(k->n, it->state);
    space w = open_work(k->n, it->work);
    double found = 0;
    if (!evaluate_first(f, &m))
        return 0;
    double a = search(k, f, &m, &w, &found);
    if (a == 0 && *m.learned > 0) {
        *m.learned = 0;
        a = search(k, f, &m, &w, &found);
    }
    if (a > 0)
        advance(k, &m, &w, found);
    return a;
}

static void steepest(const memory *m, const space *w, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        w->direction[i] = -m->gradient[i];
}

/* ---- bfgs ---- */

static void direct_bfgs(const memory *m, const space *w, int64_t n, int64_t most) {
    (void)most;
    if (*m->learned == 0) {
        steepest(m, w, n);
        return;
    }
    dl_symmetric_times(n, m->rest, m->gradient, w->direction);
    for (int64_t i = 0; i < n; i++)
        w->direction[i] = -w->direction[i];
}

/* H expanded: H + r (1 + r y'Hy) s s' - r (Hy s' + s (Hy)') */
static void learn_bfgs(const memory *m, const space *w, int64_t n, int64_t most) {
    (void)most;
    double *h = m->rest, *s = w->direction, *y = w->gradient, *hy = w->rest;
    double r = 1 / dl_dot(n, s, y);
    if (*m->learned == 0) {
        memset(h, 0, sizeof *h * (size_t)(n * n));
        for (int64_t i = 0; i < n; i++)
            h[i * n + i] = 1 / (r * dl_dot(n, y, y));
    }
    dl_symmetric_times(n, h, y, hy);
    dl_symmetric_add(n, r * (1 + r * dl_dot(n, y, hy)), s, h);
    dl_symmetric_add_pair(n, -r, hy, s, h);
}

static double minimize_bfgs(const void *self, dl_function *f, const dl_iteration *it) {
    const bfgs *b = self;
    method k = {f->count, 0, b->curvature, direct_bfgs, learn_bfgs};
    return iterate(&k, f, it);
}

static int64_t state_bfgs(const void *self, int64_t n) {
    (void)self;
    return n * n + 2 * n + NUMBERS;
}

static int64_t work_bfgs(const void *self, const dl_function *f) {
    (void)self;
    return 4 * f->count;
}

/* ---- lbfgs ---- */

/* Pair k is at index k modulo `most`. w->rest holds the factors of the pairs. */
static void direct_lbfgs(const memory *m, const space *w, int64_t n, int64_t most) {
    int64_t learned = (int64_t)*m->learned, first = learned > most ? learned - most : 0;
    double *p = w->direction, *factor = w->rest, *s = m->rest, *y = s + most * n;
    steepest(m, w, n);
    for (int64_t k = learned - 1; k >= first; k--) {
        const double *sk = s + k % most * n, *yk = y + k % most * n;
        double a = factor[k % most] = dl_dot(n, sk, p) / dl_dot(n, sk, yk);
        for (int64_t i = 0; i < n; i++)
            p[i] -= a * yk[i];
    }
    const double *sl = s + (learned + most - 1) % most * n,
                 *yl = y + (learned + most - 1) % most * n;
    double scale = learned ? dl_dot(n, sl, yl) / dl_dot(n, yl, yl) : 1;
    for (int64_t i = 0; i < n; i++)
        p[i] *= scale;
    for (int64_t k = first; k < learned; k++) {
        const double *sk = s + k % most * n, *yk = y + k % most * n;
        double a = factor[k % most] - dl_dot(n, yk, p) / dl_dot(n, sk, yk);
        for (int64_t i = 0; i < n; i++)
            p[i] += a * sk[i];
    }
}

static void learn_lbfgs(const memory *m, const space *w, int64_t n, int64_t most) {
    double *s = m->rest, *y = s + most * n;
    int64_t index = (int64_t)*m->learned % most;
    memcpy(s + index * n, w->direction, sizeof *s * (size_t)n);
    memcpy(y + index * n, w->gradient, sizeof *y * (size_t)n);
}

static double minimize_lbfgs(const void *self, dl_function *f, const dl_iteration *it) {
    const lbfgs *l = self;
    method k = {f->count, l->history, l->curvature, direct_lbfgs, learn_lbfgs};
    return iterate(&k, f, it);
}

static int64_t state_lbfgs(const void *self, int64_t n) {
    return 2 * ((const lbfgs *)self)->history * n + 2 * n + NUMBERS;
}

static int64_t work_lbfgs(const void *self, const dl_function *f) {
    return 3 * f->count + ((const lbfgs *)self)->history;
}

const dl_optimizer_type dl_optimizer_bfgs = {
    .kind = {"bfgs",
             "BFGS, a quasi-Newton method: estimates the inverse Hessian, an n x n matrix, from "
             "gradients. Each epoch is one step on the full batch, of one or a few passes. For "
             "small networks with smooth activations",
             sizeof(bfgs), bfgs_options},
    .full_batch = &(const dl_full_batch_method){.minimize = minimize_bfgs,
                                                .state_count = state_bfgs,
                                                .work_count = work_bfgs},
};

const dl_optimizer_type dl_optimizer_lbfgs = {
    .kind = {"lbfgs",
             "limited-memory BFGS: a quasi-Newton method that keeps the last steps instead of a "
             "matrix, for networks of any size. Each epoch is one step on the full batch, of one "
             "or a few passes, so the data should be small",
             sizeof(lbfgs), lbfgs_options},
    .full_batch = &(const dl_full_batch_method){.minimize = minimize_lbfgs,
                                                .state_count = state_lbfgs,
                                                .work_count = work_lbfgs},
};
