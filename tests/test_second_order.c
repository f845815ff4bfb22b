/* SPDX-License-Identifier: MIT */
/* optim: methods of second order on functions in double: a quadratic of condition 1e4, also as
   least squares, Rosenbrock's valley, systems without a unique solution. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "math/orthogonal.h"
#include "math/solve.h"
#include "optim/line_search.h"

enum { N = 10 };

/* f = |A theta - b|^2 / 2 with A = Q diag(sqrt(l)) Q', so that the Hessian is Q diag(l) Q', l from
   1e-4 to 1 in equal steps of their logarithm; b = A · best. */
typedef struct {
    dl_function f; /* first: the methods pass a pointer to it */
    double a[N * N], b[N], best[N];
    int evaluations, jacobians;
} quadratic;

static double residuals(const quadratic *q, const double *theta, double *r) {
    double sum = 0;
    for (int i = 0; i < N; i++) {
        r[i] = dl_dot(N, q->a + i * N, theta) - q->b[i];
        sum += r[i] * r[i] / 2;
    }
    return sum;
}

static double evaluate_quadratic(dl_function *f, const double *theta, double *gradient) {
    quadratic *q = (quadratic *)f;
    double r[N], value = residuals(q, theta, r);
    q->evaluations++;
    for (int i = 0; gradient && i < N; i++) {
        gradient[i] = 0;
        for (int k = 0; k < N; k++)
            gradient[i] += q->a[k * N + i] * r[k];
    }
    return value;
}

/* In blocks of uneven size. */
static double squares_quadratic(dl_function *f, const double *theta, dl_row_callback take,
                                void *context) {
    quadratic *q = (quadratic *)f;
    double r[N], value = residuals(q, theta, r);
    q->jacobians++;
    for (int i = 0; i < N; i += 4)
        take(context, i + 4 < N ? 4 : N - i, q->a + i * N, r + i);
    return value;
}

static quadratic make_quadratic(void) {
    quadratic q = {.f = {.count = N,
                         .precision = 1e-16,
                         .evaluate = evaluate_quadratic,
                         .squares = squares_quadratic,
                         .most_rows = 4}};
    float basis[N * N], best[N];
    harness_fill(basis, N * N, 1);
    harness_fill(best, N, 2);
    dl_orthogonalize(N, N, basis);
    for (int i = 0; i < N; i++)
        q.best[i] = best[i];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++)
                q.a[i * N + j] += (double)basis[i * N + k] * basis[j * N + k] *
                                  sqrt(pow(10, -4 + 4.0 * k / (N - 1)));
    for (int i = 0; i < N; i++)
        q.b[i] = dl_dot(N, q.a + i * N, q.best);
    return q;
}

/* Rosenbrock 1960: 100 (y - x^2)^2 + (1 - x)^2; as squares, twice half of it. */
static double evaluate_valley(dl_function *f, const double *theta, double *gradient) {
    double x = theta[0], y = theta[1], up = y - x * x;
    (void)f;
    if (gradient) {
        gradient[0] = -400 * x * up - 2 * (1 - x);
        gradient[1] = 200 * up;
    }
    return 100 * up * up + (1 - x) * (1 - x);
}

static double squares_valley(dl_function *f, const double *theta, dl_row_callback take,
                             void *context) {
    double x = theta[0], r[] = {sqrt(200) * (theta[1] - x * x), sqrt(2) * (1 - x)};
    double j[] = {-2 * sqrt(200) * x, sqrt(200), -sqrt(2), 0};
    take(context, 2, j, r);
    return evaluate_valley(f, theta, NULL);
}

/* A method with its memory. */
typedef struct {
    const dl_optimizer_type *type;
    dl_config config;
    void *self;
    dl_iteration it;
    int64_t state_count, work_count;
} method;

static method open_method(const char *name, const char *options, const dl_function *f,
                          const double *begin) {
    method m = {.type = (const dl_optimizer_type *)dl_registry_find(&dl_optimizer_registry, name)};
    assert_non_null(m.type);
    m.self = harness_options(&m.type->kind, &m.config, options);
    m.state_count = m.type->full_batch->state_count(m.self, f->count);
    m.work_count = m.type->full_batch->work_count(m.self, f);
    m.it.state = xcalloc((size_t)m.state_count, sizeof(double));
    m.it.work = xmalloc(sizeof(double) * (size_t)m.work_count);
    memcpy(m.it.state, begin, sizeof *begin * (size_t)f->count);
    return m;
}

static void close_method(method *m) {
    free(m->self);
    free(m->it.state);
    free(m->it.work);
    dl_config_free(&m->config);
}

/* Of 200 unknowns, 150 of which are free: the last 50 columns are sums of the first ones. */
static void test_many(void **state) {
    (void)state;
    enum { ROWS = 300, MANY = 200, FREE = 150, BLOCK = 70 };
    float *numbers = xmalloc(sizeof *numbers * ROWS * FREE);
    double *j = xmalloc(sizeof *j * ROWS * MANY), b[ROWS], x[MANY];
    double *r = xcalloc((MANY + 1) * (MANY + 1), sizeof *r);
    double *work = xmalloc(sizeof *work *
                           (size_t)(dl_triangle_work(MANY, BLOCK) + dl_triangle_solve_work(MANY)));
    harness_fill(numbers, ROWS * FREE, 3);
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < MANY; k++)
            j[i * MANY + k] = k < FREE ? numbers[i * FREE + k]
                                       : j[i * MANY + k - FREE] + 2 * j[i * MANY + k - FREE + 1];
        b[i] = dl_dot(MANY, j + i * MANY, j) + numbers[i];
    }
    for (int i = 0; i < ROWS; i += BLOCK)
        dl_triangle_add(MANY, i + BLOCK < ROWS ? BLOCK : ROWS - i, j + i * MANY, b + i, r, work);
    for (int scaled = 0; scaled < 2; scaled++) {
        assert_int_equal(dl_triangle_solve(MANY, r, scaled, 1e-12, x, work), FREE);
        double rest[MANY] = {0}; /* J'(J x - b) */
        for (int i = 0; i < ROWS; i++) {
            double difference = dl_dot(MANY, j + i * MANY, x) - b[i];
            dl_add_rows_times(MANY, 1, j + i * MANY, &difference, rest);
        }
        for (int k = 0; k < MANY; k++)
            assert_true(fabs(rest[k]) < 1e-8);
    }
    free(numbers);
    free(j);
    free(r);
    free(work);
}

/* What is in the working memory between two iterations must not matter. */
static double iterate(method *m, dl_function *f) {
    m->it.t++;
    for (int64_t i = 0; i < m->work_count; i++)
        m->it.work[i] = NAN;
    double before = f->evaluate(f, m->it.state, NULL);
    double a = m->type->full_batch->minimize(m->self, f, &m->it);
    double after = f->evaluate(f, m->it.state, NULL);
    assert_true(a >= 0 && (a > 0 ? after < before : after == before));
    return after;
}

/* Iterations until f is below `goal`; `most` + 1 if it is not. */
static int count(const char *name, const char *options, dl_function *f, const double *begin,
                 double goal, int most) {
    method m = open_method(name, options, f, begin);
    int k = 1;
    while (k <= most && !(iterate(&m, f) < goal))
        k++;
    close_method(&m);
    return k;
}

/* With the largest rate that does not diverge for sure, 1 / the largest eigenvalue. */
static int count_sgd(dl_function *f, double goal) {
    double theta[N] = {0}, g[N];
    int k = 0;
    while (f->evaluate(f, theta, g) >= goal && k < 10000000) {
        for (int i = 0; i < N; i++)
            theta[i] -= g[i];
        k++;
    }
    return k;
}

/* To 1e-8 of the initial f (its minimum is 0). */
static void test_quadratic(void **state) {
    (void)state;
    static const struct {
        const char *name, *options;
        int most;
    } cases[] = {{"newton", "", 1},
                 {"normal_equations", "", 1},
                 {"gauss_newton", "", 1},
                 {"bfgs", "", 25},
                 {"lbfgs", "", 40},
                 {"bfgs", "curvature = 0.9;", 100},
                 {"lbfgs", "curvature = 0.9;", 150},
                 {"levenberg", "", 25},
                 {"levenberg_marquardt", "", 25}};
    double zero[N] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        quadratic q = make_quadratic();
        double goal = 1e-8 * q.f.evaluate(&q.f, zero, NULL);
        q.evaluations = 0;
        int k = count(cases[i].name, cases[i].options, &q.f, zero, goal, cases[i].most);
        /* iterate() itself evaluates twice */
        printf("quadratic, condition 1e4, to 1e-8: %-20s %-18s %2d iterations, %d evaluations\n",
               cases[i].name, cases[i].options, k, q.evaluations - 2 * k);
        if (k > cases[i].most)
            fail_msg("%s: more than %d iterations", cases[i].name, cases[i].most);
    }
    quadratic q = make_quadratic();
    int k = count_sgd(&q.f, 1e-8 * q.f.evaluate(&q.f, zero, NULL));
    printf("quadratic, condition 1e4, to 1e-8: %-39s %d iterations\n", "sgd, rate 1 / l_max", k);
}

static void test_theta(void **state) {
    (void)state;
    quadratic q = make_quadratic();
    double zero[N] = {0};
    method m = open_method("normal_equations", "", &q.f, zero);
    iterate(&m, &q.f);
    for (int i = 0; i < N; i++)
        assert_true(fabs(m.it.state[i] - q.best[i]) < 1e-10);
    assert_int_equal(q.jacobians, 1);
    iterate(&m, &q.f); /* there is nothing left to do */
    assert_int_equal(q.jacobians, 1);
    close_method(&m);
}

static void test_valley(void **state) {
    (void)state;
    static const double begin[] = {-1.2, 1};
    static const char *const names[] = {"bfgs",         "lbfgs",     "newton",
                                        "gauss_newton", "levenberg", "levenberg_marquardt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        dl_function f = {.count = 2,
                         .precision = 1e-16,
                         .evaluate = evaluate_valley,
                         .squares = squares_valley,
                         .most_rows = 2};
        method m = open_method(names[i], "", &f, begin);
        int k = 0;
        do
            iterate(&m, &f);
        while (++k < 200 && !(fabs(m.it.state[0] - 1) < 1e-6 && fabs(m.it.state[1] - 1) < 1e-6));
        printf("Rosenbrock, both to 1e-6: %-20s %d iterations\n", names[i], k);
        assert_in_range(k, 1, 60);
        close_method(&m);
    }
}

/* theta_0 + theta_1 = 2 twice, and theta_2 of which nothing depends: rank 1 of 3. */
static double squares_dependent(dl_function *f, const double *theta, dl_row_callback take,
                                void *context) {
    static const double j[] = {1, 1, 0, 1, 1, 0};
    double r = theta[0] + theta[1] - 2, both[] = {r, r};
    (void)f;
    take(context, 2, j, both);
    return r * r;
}

static double evaluate_dependent(dl_function *f, const double *theta, double *gradient) {
    double r = theta[0] + theta[1] - 2;
    (void)f;
    if (gradient) {
        gradient[0] = gradient[1] = 2 * r;
        gradient[2] = 0;
    }
    return r * r;
}

static dl_function dependent(void) {
    return (dl_function){.count = 3,
                         .precision = 1e-16,
                         .evaluate = evaluate_dependent,
                         .squares = squares_dependent,
                         .most_rows = 5};
}

static void test_dependent(void **state) {
    (void)state;
    static const double begin[] = {5, 1, 3};
    dl_function f = dependent();
    method m = open_method("normal_equations", "", &f, begin);
    dl_text note = {0};
    dl_error error = {0};
    assert_int_equal(m.type->full_batch->begin(m.self, &f, &m.it, "x:1", &note, &error), 0);
    assert_non_null(strstr(note.data, "rank 1 of 3"));
    iterate(&m, &f);
    assert_true(fabs(m.it.state[0] - 1) < 1e-12 && fabs(m.it.state[1] - 1) < 1e-12);
    assert_true(fabs(m.it.state[2]) < 1e-12);
    close_method(&m);
    dl_text_free(&note);
    static const char *const others[] = {"newton",       "bfgs",      "lbfgs",
                                         "gauss_newton", "levenberg", "levenberg_marquardt"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        int k = count(others[i], "", &f, begin, 1e-12, 20);
        if (k > 20)
            fail_msg("%s fails for a singular matrix", others[i]);
    }
}

static void test_not_linear(void **state) {
    (void)state;
    static const double begin[] = {-1.2, 1};
    dl_function f = {.count = 2,
                     .precision = 1e-16,
                     .evaluate = evaluate_valley,
                     .squares = squares_valley,
                     .most_rows = 2};
    method m = open_method("normal_equations", "", &f, begin);
    dl_text note = {0};
    dl_error error = {0};
    assert_int_equal(m.type->full_batch->begin(m.self, &f, &m.it, "x:1", &note, &error), -1);
    assert_int_equal(error.code, DL_USAGE);
    assert_non_null(strstr(error.text.data, "x:1: normal_equations needs outputs that are linear"));
    dl_error_clear(&error);
    close_method(&m);
}

/* At the minimum nothing moves, and nothing is divided by zero. */
static void test_at_rest(void **state) {
    (void)state;
    static const double best[] = {1, 1};
    for (int k = 0; k < dl_optimizer_registry.count; k++) {
        dl_function f = {.count = 2,
                         .precision = 1e-16,
                         .evaluate = evaluate_valley,
                         .squares = squares_valley,
                         .most_rows = 2};
        const dl_optimizer_type *type = (const dl_optimizer_type *)dl_optimizer_registry.kinds[k];
        if (!type->full_batch || type->full_batch->begin)
            continue;
        method m = open_method(type->kind.name, "", &f, best);
        for (int i = 0; i < 3; i++)
            assert_true(iterate(&m, &f) == 0);
        assert_true(m.it.state[0] == 1 && m.it.state[1] == 1);
        close_method(&m);
    }
}

/* Where f is not finite beyond x = 0, no step ends there: the least of x - log x is at 1. */
static double evaluate_wall(dl_function *f, const double *theta, double *gradient) {
    (void)f;
    if (gradient)
        gradient[0] = 1 - 1 / theta[0];
    return theta[0] > 0 ? theta[0] - log(theta[0]) : NAN;
}

static void test_wall(void **state) {
    (void)state;
    static const char *const names[] = {"newton", "bfgs", "lbfgs"};
    static const double begin[] = {8};
    for (size_t i = 0; i < 3; i++) {
        dl_function f = {.count = 1, .precision = 1e-16, .evaluate = evaluate_wall};
        int k = count(names[i], "", &f, begin, 1 + 1e-12, 40);
        if (k > 40)
            fail_msg("%s does not come away from the wall", names[i]);
    }
}

/* (x - c)^2 (1 + (x - c)^2 / 4), the least of which is at c. */
typedef struct {
    dl_function f;
    double c;
} bowl;

static double evaluate_bowl(dl_function *f, const double *theta, double *gradient) {
    double d = theta[0] - ((bowl *)f)->c;
    if (gradient)
        gradient[0] = 2 * d + d * d * d;
    return d * d + d * d * d * d / 4;
}

/* Both strong Wolfe conditions hold at the result, whether the minimum is near or far. */
static void test_wolfe(void **state) {
    (void)state;
    static const double places[] = {0.003, 0.1, 0.4, 0.6, 1, 1.7, 5, 300};
    static const double curvatures[] = {0.01, 0.1, 0.9};
    for (int i = 0; i < 24; i++) {
        bowl b = {{.count = 1, .precision = 1e-16, .evaluate = evaluate_bowl}, places[i % 8]};
        double theta = 0, direction = 1, trial, gradient, slope, c = curvatures[i / 8];
        double value = evaluate_bowl(&b.f, &theta, &slope);
        dl_line line = {&b.f, &theta, &direction, value, slope, &trial, &gradient, 0};
        double a = dl_line_wolfe(&line, 1, c);
        assert_true(a > 0 && trial == a);
        assert_true(line.found == evaluate_bowl(&b.f, &trial, NULL));
        assert_true(line.found <= value + 1e-4 * a * slope);
        evaluate_bowl(&b.f, &trial, &slope);
        if (!(gradient == slope && fabs(slope) <= c * fabs(line.slope)))
            fail_msg("least at %g: a = %.17g, slope %g (%g) of %g", b.c, a, slope, gradient,
                     line.slope);
    }
}

/* x^4 / 4 - x^2 / 2 + 50 y^2 curves down where |x| is small: the Hessian must be damped, since the
   gradient alone leads slowly down this valley. */
static double evaluate_saddle(dl_function *f, const double *theta, double *gradient) {
    double x = theta[0], y = theta[1];
    (void)f;
    if (gradient) {
        gradient[0] = x * x * x - x;
        gradient[1] = 100 * y;
    }
    return x * x * x * x / 4 - x * x / 2 + 50 * y * y;
}

static void test_saddle(void **state) {
    (void)state;
    static const double begin[] = {0.01, 1};
    dl_function f = {.count = 2, .precision = 1e-16, .evaluate = evaluate_saddle};
    int k = count("newton", "", &f, begin, -0.25 + 1e-9, 15);
    printf("saddle, to 1e-9: newton %d iterations\n", k);
    if (k > 15)
        fail_msg("newton does not come away from a saddle");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quadratic),  cmocka_unit_test(test_theta),
        cmocka_unit_test(test_valley),     cmocka_unit_test(test_dependent),
        cmocka_unit_test(test_not_linear), cmocka_unit_test(test_at_rest),
        cmocka_unit_test(test_wall),       cmocka_unit_test(test_many),
        cmocka_unit_test(test_wolfe),      cmocka_unit_test(test_saddle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
