/* optim: steps worked out by hand, on two parameter tensors of which one decays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "math/threads.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

/* As in the options' tables. */
typedef struct {
    dl_optimizer_common common;
    double momentum;
    bool nesterov;
} sgd;
typedef struct {
    dl_optimizer_common common;
    double beta1, beta2, epsilon;
} adam;

static const dl_optimizer_type *find(const char *name) {
    return (const dl_optimizer_type *)dl_registry_find(&dl_optimizer_registry, name);
}

/* Two tensors of one number each: w = 1 with l1 and l2, b = -2 without; gradients 0.5 and 1. */
typedef struct {
    float w[2], g[2];
    dl_span spans[2];
} problem;

static problem start(float l1, float l2) {
    return (problem){{1, -2}, {0.5f, 1}, {{0, 1, l1, l2}, {1, 1, 0, 0}}};
}

static void run(const char *name, const void *self, problem *p, float scale, float **vectors,
                int64_t t) {
    dl_objective objective = {2, p->w, p->g, scale, p->spans, 2};
    find(name)->step(self, &objective, vectors, 0.1, t);
}

static void assert_at(const problem *p, double w, double b) {
    if (fabs(p->w[0] - w) > 1e-6 || fabs(p->w[1] - b) > 1e-6)
        fail_msg("got %.8g, %.8g instead of %.8g, %.8g", p->w[0], p->w[1], w, b);
}

static void test_sgd(void **state) {
    (void)state;
    sgd self = {0};
    assert_int_equal(find("sgd")->vectors(&self), 0);
    problem p = start(0, 0);
    run("sgd", &self, &p, 1, NULL, 1);
    assert_at(&p, 1 - 0.1 * 0.5, -2 - 0.1);
    p = start(0.3f, 0.2f); /* 0.5 + 0.2 · 1 + 0.3 · sign(1) = 1; the other tensor as before */
    run("sgd", &self, &p, 1, NULL, 1);
    assert_at(&p, 1 - 0.1 * 1.0, -2 - 0.1);
    p = start(0.3f, 0.2f);
    p.w[0] = 0; /* l1 pulls at nothing that is zero */
    run("sgd", &self, &p, 1, NULL, 1);
    assert_at(&p, -0.05, -2.1);
    p = start(0, 0.2f); /* clipping scales the gradient, not the penalty */
    run("sgd", &self, &p, 0.5f, NULL, 1);
    assert_at(&p, 1 - 0.1 * (0.25 + 0.2), -2 - 0.1 * 0.5);
}

static void test_momentum(void **state) {
    (void)state;
    float v[2] = {0}, *vectors[] = {v};
    sgd self = {.momentum = 0.9};
    assert_int_equal(find("sgd")->vectors(&self), 1);
    problem p = start(0, 0);
    run("sgd", &self, &p, 1, vectors, 1); /* v = 0.5, 1 */
    assert_at(&p, 0.95, -2.1);
    run("sgd", &self, &p, 1, vectors, 2); /* v = 0.95, 1.9 */
    assert_at(&p, 0.95 - 0.095, -2.1 - 0.19);
    float n[2] = {0}, *others[] = {n};
    self.nesterov = true;
    p = start(0, 0);
    run("sgd", &self, &p, 1, others, 1); /* g + 0.9 v = 0.95, 1.9 */
    assert_at(&p, 1 - 0.095, -2 - 0.19);
    run("sgd", &self, &p, 1, others, 2); /* v = 0.95, 1.9: g + 0.9 v = 1.355, 2.71 */
    assert_at(&p, 1 - 0.095 - 0.1355, -2 - 0.19 - 0.271);
}

static void test_adam(void **state) {
    (void)state;
    float m[2] = {0}, v[2] = {0}, *vectors[] = {m, v};
    adam self = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    assert_int_equal(find("adam")->vectors(&self), 2);
    problem p = start(0, 0);
    run("adam", &self, &p, 1, vectors, 1); /* the first step is the rate, along the sign */
    assert_at(&p, 0.9, -2.1);
    p.g[0] = -0.5f; /* m = 0.045 - 0.05 = -0.005, v = 0.00049975: by hand */
    double mean = (0.9 * 0.05 - 0.1 * 0.5) / (1 - 0.81);
    double square = (0.999 * 0.00025 + 0.00025) / (1 - 0.998001);
    run("adam", &self, &p, 1, vectors, 2);
    assert_at(&p, 0.9 - 0.1 * mean / (sqrt(square) + 1e-8), -2.2);
}

/* Long blocks, cut into pieces for several threads, give the bits of one thread; spans of any size.
 */
static void test_pieces(void **state) {
    (void)state;
    enum { N = 200001 };
    float *w[2], *g = xmalloc(sizeof *g * N), *m = xmalloc(sizeof *m * N),
                 *v = xmalloc(sizeof *v * N);
    adam self = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    dl_span spans[] = {
        {0, 1, 0, 0.1f}, {1, 70000, 0.1f, 0}, {70001, 5, 0, 0}, {70006, 129995, 0, 0}};
    for (int run_number = 0; run_number < 2; run_number++) {
        float *vectors[] = {m, v};
        w[run_number] = xmalloc(sizeof(float) * N);
        for (int i = 0; i < N; i++) {
            w[run_number][i] = (float)(i % 17) - 8;
            g[i] = (float)(i % 13) - 6;
            m[i] = v[i] = 0;
        }
        dl_threads_set(run_number + 1);
        dl_objective objective = {N, w[run_number], g, 0.7f, spans, 4};
        for (int64_t t = 1; t <= 3; t++)
            find("adam")->step(&self, &objective, vectors, 0.01, t);
    }
    assert_memory_equal(w[0], w[1], sizeof(float) * N);
    int still = 0;
    for (int i = 0; i < N; i++)
        still += w[0][i] == (float)(i % 17) - 8;
    assert_true(still < N / 13 + 10); /* all moved but those without a gradient */
    free(w[0]);
    free(w[1]);
    free(g);
    free(m);
    free(v);
}

static double factor(const char *name, const void *self, double epoch, double epochs) {
    const dl_schedule_type *type =
        (const dl_schedule_type *)dl_registry_find(&dl_schedule_registry, name);
    return type->factor(self, epoch, epochs);
}

static void test_schedules(void **state) {
    (void)state;
    double step[2] = {10, 0.5}, cosine[1] = {0.1};
    assert_true(factor("constant", step, 55, 100) == 1);
    assert_true(factor("step", step, 9.99, 100) == 1 && factor("step", step, 10, 100) == 0.5);
    assert_true(factor("step", step, 35, 100) == 0.125);
    assert_true(factor("cosine", cosine, 0, 100) == 1);
    assert_true(fabs(factor("cosine", cosine, 50, 100) - 0.55) < 1e-12);
    assert_true(fabs(factor("cosine", cosine, 100, 100) - 0.1) < 1e-12);
    assert_true(fabs(factor("cosine", cosine, 200, 100) - 0.1) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd),       cmocka_unit_test(test_momentum),
        cmocka_unit_test(test_adam),      cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_schedules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
