/* SPDX-License-Identifier: MIT */
/* optim: steps worked out by hand, on two parameter tensors of which one decays. */
#include "harness.h"

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
    bool bias_correction;
    double weight_decay;
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
    return (problem){{1, -2}, {0.5f, 1}, {{0, 1, l1, l2, false}, {1, 1, 0, 0, false}}};
}

static void run(const char *name, const void *self, problem *p, float scale, float **vectors,
                int64_t t) {
    dl_objective objective = {2, p->w, p->g, scale, p->spans, 2};
    find(name)->first_order->step(self, &objective, vectors, 0.1, t);
}

static void assert_at(const problem *p, double w, double b) {
    if (fabs(p->w[0] - w) > 1e-6 || fabs(p->w[1] - b) > 1e-6)
        fail_msg("got %.8g, %.8g instead of %.8g, %.8g", p->w[0], p->w[1], w, b);
}

static void test_sgd(void **state) {
    (void)state;
    sgd self = {0};
    assert_int_equal(find("sgd")->first_order->vectors(&self), 0);
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
    assert_int_equal(find("sgd")->first_order->vectors(&self), 1);
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
    adam self = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .bias_correction = true};
    assert_int_equal(find("adam")->first_order->vectors(&self), 2);
    problem p = start(0, 0);
    run("adam", &self, &p, 1, vectors, 1); /* the first step is the rate, along the sign */
    assert_at(&p, 0.9, -2.1);
    p.g[0] = -0.5f; /* m = 0.045 - 0.05 = -0.005, v = 0.00049975: by hand */
    double mean = (0.9 * 0.05 - 0.1 * 0.5) / (1 - 0.81);
    double square = (0.999 * 0.00025 + 0.00025) / (1 - 0.998001);
    run("adam", &self, &p, 1, vectors, 2);
    assert_at(&p, 0.9 - 0.1 * mean / (sqrt(square) + 1e-8), -2.2);
    m[0] = m[1] = v[0] = v[1] = 0; /* as it comes: 0.1 g / sqrt(0.001 g^2) */
    self.bias_correction = false;
    p = start(0, 0);
    run("adam", &self, &p, 1, vectors, 1);
    assert_at(&p, 1 - 0.1 * 0.1 / sqrt(0.001), -2 - 0.1 * 0.1 / sqrt(0.001));
}

/* The decay is beside the step, and of the tensor that decays alone. */
static void test_adamw(void **state) {
    (void)state;
    float m[2] = {0}, v[2] = {0}, *vectors[] = {m, v};
    adam self = {.beta1 = 0.9, .beta2 = 0.999, .bias_correction = true, .weight_decay = 0.2};
    problem p = start(0, 0);
    p.spans[0].decays = true;
    run("adamw", &self, &p, 1, vectors, 1);
    assert_at(&p, 1 - 0.1 * 0.2 - 0.1, -2.1);
}

/* Long blocks, cut into pieces for several threads, give the bits of one thread; spans of any size.
   Every optimizer, as it is by default and with all that can be switched on. */
enum { N = 200001 };

static void run_long(const dl_optimizer_type *type, const void *self, int threads, float *w) {
    float *g = xmalloc(sizeof *g * N), *vectors[8];
    dl_span spans[] = {{0, 1, 0, 0.1f, true},
                       {1, 70000, 0.1f, 0, true},
                       {70001, 5, 0, 0, false},
                       {70006, 129995, 0, 0, true}};
    int count = type->first_order->vectors(self);
    for (int v = 0; v < count; v++)
        vectors[v] = xcalloc(N, sizeof(float));
    for (int i = 0; i < N; i++) {
        w[i] = (float)(i % 17) - 8;
        g[i] = (float)(i % 13) - 6;
    }
    dl_threads_set(threads);
    dl_objective objective = {N, w, g, 0.7f, spans, 4};
    for (int64_t t = 1; t <= 3; t++)
        type->first_order->step(self, &objective, vectors, 0.01, t);
    for (int v = 0; v < count; v++) { /* a vector that stays zero would be of no use */
        int used = 0;
        for (int i = 0; i < N; i++)
            used += vectors[v][i] != 0;
        assert_true(used > N / 2);
        free(vectors[v]);
    }
    free(g);
}

static void test_pieces(void **state) {
    (void)state;
    float *w[2] = {xmalloc(sizeof(float) * N), xmalloc(sizeof(float) * N)};
    for (int k = 0; k < 2 * dl_optimizer_registry.count; k++) {
        const dl_kind *kind = dl_optimizer_registry.kinds[k / 2];
        if (((const dl_optimizer_type *)kind)->full_batch) /* test_second_order.c */
            continue;
        dl_config config;
        dl_text options = {0};
        for (const dl_option *o = kind->options; k % 2 && o->key; o++)
            if (o->type == DL_BOOL)
                dl_text_add(&options, "%s = true; ", o->key);
            else if (!strcmp(o->key, "momentum"))
                dl_text_add(&options, "momentum = 0.5; ");
        void *self = harness_options(kind, &config, dl_text_get(&options));
        for (int threads = 1; threads <= 2; threads++)
            run_long((const dl_optimizer_type *)kind, self, threads, w[threads - 1]);
        assert_memory_equal(w[0], w[1], sizeof(float) * N);
        int still = 0;
        for (int i = 0; i < N; i++)
            still += w[0][i] == (float)(i % 17) - 8;
        assert_true(still < N / 13 + 10); /* all moved but those without a gradient */
        free(self);
        dl_config_free(&config);
        dl_text_free(&options);
    }
    free(w[0]);
    free(w[1]);
}

/* NaN is no improvement, and a warm-up's epochs do not count. */
static void test_plateau(void **state) {
    (void)state;
    const dl_schedule_type *type =
        (const dl_schedule_type *)dl_registry_find(&dl_schedule_registry, "plateau");
    dl_config config;
    void *self = harness_options(&type->kind, &config, "factor = 0.5; patience = 2; warmup = 3;");
    const double values[] = {5, 5, 5, NAN, 9, 8, NAN, NAN, 7, 7, 7, 6};
    const double wanted[] = {1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25};
    double memory[DL_SCHEDULE_STATE] = {0};
    for (int i = 0; i < 12; i++) {
        dl_schedule_clock after = {i + 1, 0, 4 * (i + 1), 4, 12};
        dl_schedule_observe(type, self, &after, values[i], false, memory);
        after.epoch = 11;
        assert_true(dl_schedule_factor(type, self, &after, memory) == wanted[i]);
    }
    free(self);
    dl_config_free(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd),    cmocka_unit_test(test_momentum),
        cmocka_unit_test(test_adam),   cmocka_unit_test(test_adamw),
        cmocka_unit_test(test_pieces), cmocka_unit_test(test_plateau),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
