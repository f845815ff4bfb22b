/* SPDX-License-Identifier: MIT */
/* net: the memory plan, passes that never allocate, bits that repeat, bad values that are named. */
#include "harness.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/threads.h"
#include "net/plan.h"
#include "optim/optimizer.h"

/* ---- counting what a step allocates: glibc's own entry points, behind a counter ----
   Only what this program's own code asks for: the thread pools and libraries below do as they like.
 */

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTED 1
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern char __executable_start, etext;
static long allocations;

#define COUNT()                                                                                    \
    do {                                                                                           \
        const char *caller = __builtin_return_address(0);                                          \
        if (caller >= &__executable_start && caller < &etext)                                      \
            __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);                                 \
    } while (0)

void *malloc(size_t size) {
    COUNT();
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    COUNT();
    return __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
    COUNT();
    return __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    COUNT();
    return __libc_memalign(alignment, size);
}
#endif

static const char network[] =
    "{ layer = \"conv2d\"; filters = 8; kernel = 3; padding = \"same\"; activation = \"relu\"; },"
    "{ layer = \"max_pool\"; }, { layer = \"dropout\"; },"
    "{ layer = \"conv2d\"; filters = 8; kernel = 3; activation = \"tanh\"; },"
    "{ layer = \"flatten\"; }, { layer = \"dense\"; units = 20; activation = \"elu\"; },"
    "{ layer = \"dense\"; units = 4; }";

enum { BATCH = 16, SIZE = 12 * 12 * 2 };

static void step(dl_net *net, const float *x, int batch, uint32_t number) {
    dl_pass pass = {.batch = batch, .training = true, .seed = 1, .step = number};
    dl_net_forward(net, x, &pass);
    dl_tensor *out = dl_net_output(net);
    for (int64_t i = 0; i < batch * dl_shape_size(out->shape); i++)
        out->grad[i] = out->value[i] / (float)batch;
    dl_net_backward(net, &pass);
}

static void test_no_allocation(void **state) {
    (void)state;
#ifdef COUNTED
    const dl_optimizer_type *adam =
        (const dl_optimizer_type *)dl_registry_find(&dl_optimizer_registry, "adam");
    double self[8] = {0.001, 0, 0.9, 0.999, 1e-8};
    harness h;
    float x[BATCH * SIZE];
    harness_fill(x, BATCH * SIZE, 1);
    assert_true(harness_open(&h, network, dl_shape3(12, 12, 2), BATCH, true, 2));
    dl_net_initialize(&h.net, 1);
    int64_t n = h.net.weight_count;
    float *vectors[2] = {calloc((size_t)n, sizeof(float)), calloc((size_t)n, sizeof(float))};
    dl_span span = {0, n, 0, 0, true};
    dl_objective objective = {n, h.net.weights, h.net.gradients, 1, &span, 1};
    long before = 0;
    for (uint32_t t = 0; t < 12; t++) {
        if (t == 2) /* both batch sizes have been seen */
            before = allocations;
        step(&h.net, x, t % 2 ? BATCH : BATCH / 2 + 1, t);
        adam->first_order->step(self, &objective, vectors, 0.001, t + 1);
    }
    assert_true(before > 0);
    assert_int_equal(allocations, before);
    free(vectors[0]);
    free(vectors[1]);
    harness_close(&h);
#else
    skip();
#endif
}

/* Two nets, the same numbers; and inference, whose plan reuses more memory, agrees with training.
 */
static void test_repeats(void **state) {
    (void)state;
    harness a, b, c;
    float x[BATCH * SIZE];
    harness_fill(x, BATCH * SIZE, 1);
    assert_true(harness_open(&a, network, dl_shape3(12, 12, 2), BATCH, true, 2));
    assert_true(harness_open(&b, network, dl_shape3(12, 12, 2), BATCH, true, 2));
    assert_true(harness_open(&c, network, dl_shape3(12, 12, 2), BATCH, false, 2));
    dl_net_initialize(&a.net, 1);
    dl_net_initialize(&b.net, 1);
    dl_net_initialize(&c.net, 1);
    for (uint32_t t = 0; t < 3; t++) {
        step(&a.net, x, BATCH, t);
        step(&b.net, x, BATCH, t);
    }
    size_t bytes = sizeof(float) * (size_t)a.net.weight_count;
    assert_memory_equal(a.net.gradients, b.net.gradients, bytes);
    dl_pass pass = {.batch = BATCH};
    dl_net_forward(&a.net, x, &pass);
    dl_net_forward(&c.net, x, &pass);
    assert_memory_equal(dl_net_output(&a.net)->value, dl_net_output(&c.net)->value,
                        sizeof(float) * BATCH * 4);
    assert_true(c.net.memory_bytes < a.net.memory_bytes);
    assert_null(c.net.gradients);
    dl_net_initialize(&b.net, 2);
    assert_memory_not_equal(a.net.weights, b.net.weights, bytes);
    harness_close(&a);
    harness_close(&b);
    harness_close(&c);
}

/* A sample's output does not depend on what else is in the batch. */
static void test_partial_batch(void **state) {
    (void)state;
    harness h;
    float x[BATCH * SIZE], whole[BATCH * 4];
    harness_fill(x, BATCH * SIZE, 1);
    assert_true(harness_open(&h, network, dl_shape3(12, 12, 2), BATCH, false, 2));
    dl_net_initialize(&h.net, 1);
    dl_pass pass = {.batch = BATCH};
    dl_net_forward(&h.net, x, &pass);
    memcpy(whole, dl_net_output(&h.net)->value, sizeof whole);
    for (pass.batch = 1; pass.batch < BATCH; pass.batch++) {
        dl_net_forward(&h.net, x, &pass);
        for (int i = 0; i < pass.batch * 4; i++)
            assert_true(fabsf(dl_net_output(&h.net)->value[i] - whole[i]) < 1e-5f);
    }
    harness_close(&h);
}

static void test_plan(void **state) {
    (void)state;
    /* a chain: each lives with its neighbours, so two places suffice */
    dl_plan_item chain[] = {{100, 0, 1, 0}, {100, 1, 2, 0}, {100, 2, 3, 0}, {100, 3, 4, 0}};
    assert_int_equal(dl_plan_assign(chain, 4), 256);
    enum { N = 60 };
    dl_plan_item items[N];
    for (int trial = 0; trial < 50; trial++) {
        uint32_t words[4];
        int64_t most = 0, total = 0;
        for (int i = 0; i < N; i++) {
            dl_random_words(&(dl_draw){7, DL_FOR_TEST, 0, 0, (uint32_t)trial}, (uint32_t)i, words);
            int first = (int)(words[0] % 40);
            items[i] = (dl_plan_item){words[1] % 1000 + 1, first, first + (int)(words[2] % 10), 0};
            total += items[i].bytes + DL_ALIGN;
        }
        int64_t bytes = dl_plan_assign(items, N);
        for (int i = 0; i < N; i++) {
            assert_int_equal(items[i].offset % DL_ALIGN, 0);
            most =
                items[i].offset + items[i].bytes > most ? items[i].offset + items[i].bytes : most;
            for (int j = 0; j < i; j++) {
                bool together = items[i].first <= items[j].last && items[j].first <= items[i].last;
                bool overlap = items[i].offset < items[j].offset + items[j].bytes &&
                               items[j].offset < items[i].offset + items[i].bytes;
                assert_false(together && overlap);
            }
        }
        assert_true(most <= bytes && bytes < total / 2);
    }
}

static void test_find_bad(void **state) {
    (void)state;
    harness h;
    float x[BATCH * SIZE];
    harness_fill(x, BATCH * SIZE, 1);
    assert_true(harness_open(&h, network, dl_shape3(12, 12, 2), BATCH, true, 2));
    dl_net_initialize(&h.net, 1);
    dl_pass pass = {.batch = BATCH};
    assert_null(dl_net_find_not_finite(&h.net, x, &pass));
    h.net.layers[3].params[0].value[5] = NAN;
    assert_string_equal(dl_net_find_not_finite(&h.net, x, &pass),
                        "layer \"conv2d_2\" (its weight)");
    x[3] = INFINITY;
    assert_string_equal(dl_net_find_not_finite(&h.net, x, &pass),
                        "layer \"conv2d_1\" (its output)");
    harness_close(&h);
}

/* No gradient is worked out for the data, nor for layers before anything that is trained. */
static void test_no_needless_gradient(void **state) {
    (void)state;
    harness h;
    assert_true(harness_open(&h,
                             "{ layer = \"activation\"; activation = \"tanh\"; },"
                             "{ layer = \"dense\"; units = 3; }, { layer = \"dense\"; units = 2; }",
                             dl_shape1(4), 2, true, 1));
    assert_null(h.net.layers[0].in[0].grad);
    assert_null(h.net.layers[1].in[0].grad);
    assert_non_null(h.net.layers[2].in[0].grad);
    harness_close(&h);
}

/* What a pooling saved must last, in a net that is not trained, until it is read far behind. */
/* Running statistics that are frozen stay, and are what the layer normalizes by. */
static void test_frozen_norm(void **state) {
    (void)state;
    for (int frozen = 0; frozen < 2; frozen++) {
        harness h;
        float x[BATCH * 6], before[12];
        harness_fill(x, BATCH * 6, 1);
        assert_true(harness_open(&h,
                                 frozen ? "{ layer = \"batch_norm\"; trainable = false; }, "
                                          "{ layer = \"dense\"; units = 2; }"
                                        : "{ layer = \"batch_norm\"; }, "
                                          "{ layer = \"dense\"; units = 2; }",
                                 dl_shape1(6), BATCH, true, 1));
        dl_net_initialize(&h.net, 1);
        memcpy(before, h.net.states, sizeof before);
        step(&h.net, x, BATCH, 0);
        assert_int_equal(memcmp(before, h.net.states, sizeof before) == 0, frozen);
        harness_close(&h);
    }
}

static void test_unpool_far_away(void **state) {
    (void)state;
    const char *layers = "{ layer = \"max_pool\"; name = \"pool\"; },"
                         "{ layer = \"conv2d\"; filters = 40; kernel = 1; activation = \"tanh\"; },"
                         "{ layer = \"conv2d\"; filters = 30; kernel = 1; activation = \"tanh\"; },"
                         "{ layer = \"conv2d\"; filters = 2; kernel = 1; name = \"last\"; },"
                         "{ layer = \"unpool\"; inputs = (\"last\", \"pool\"); }";
    float x[BATCH * SIZE], kept[BATCH * SIZE];
    dl_pass pass = {.batch = BATCH};
    harness_fill(x, BATCH * SIZE, 1);
    for (int training = 1; training >= 0; training--) {
        harness h;
        assert_true(harness_open(&h, layers, dl_shape3(12, 12, 2), BATCH, training, 2));
        dl_net_initialize(&h.net, 3);
        dl_net_forward(&h.net, x, &pass);
        assert_int_equal(dl_shape_size(dl_net_output(&h.net)->shape), SIZE);
        const float *y = dl_net_output(&h.net)->value;
        int zeros = 0;
        for (int i = 0; i < BATCH * SIZE; i++) {
            assert_true(training || fabsf(y[i] - kept[i]) <= 1e-5f);
            zeros += y[i] == 0;
        }
        assert_int_equal(zeros, BATCH * SIZE / 4 * 3);
        memcpy(kept, y, sizeof kept);
        harness_close(&h);
    }
}

/* Wherever it stands among the places, so that a diverged run is seen. */
static void test_nan_wins(void **state) {
    (void)state;
    static const struct {
        const char *layer;
        dl_shape input; /* of four numbers, which are one window */
    } cases[] = {
        {"{ layer = \"global_max_pool\"; }", {2, {4, 1, 1, 1}}},
        {"{ layer = \"max_pool1d\"; size = 4; }", {2, {4, 1, 1, 1}}},
        {"{ layer = \"max_pool\"; size = 2; }", {3, {2, 2, 1, 1}}},
        {"{ layer = \"max_pool\"; size = (4, 1); }", {3, {4, 1, 1, 1}}},
    };
    for (size_t i = 0; i < 4 * sizeof cases / sizeof *cases; i++) {
        harness h;
        float x[] = {1, 5, 2, 3};
        dl_pass pass = {.batch = 1};
        x[i % 4] = NAN;
        assert_true(harness_open(&h, cases[i / 4].layer, cases[i / 4].input, 1, false, 1));
        dl_net_forward(&h.net, x, &pass);
        assert_true(isnan(dl_net_output(&h.net)->value[0]));
        harness_close(&h);
    }
}

/* A weight of two layers, the second of which uses it transposed. Gradients begin anew in each
   pass, whatever was in their place; a weight is frozen where its owner is, a bias where it is. */
static void test_tied(void **state) {
    (void)state;
    static const struct {
        const char *first, *second;
        bool weight, first_bias, second_bias; /* are trained */
    } cases[] = {
        {"", "", true, true, true},
        {"trainable = false;", "", false, false, true},
        {"", "trainable = false;", true, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        harness h, other;
        dl_text layers = {0};
        float x[BATCH * 6];
        harness_fill(x, BATCH * 6, 1);
        dl_text_add(&layers,
                    "{ layer = \"dense\"; units = 300; activation = \"tanh\"; name = \"a\"; %s },"
                    "{ layer = \"dense\"; units = 6; share = \"a\"; transpose = true; %s }",
                    cases[i].first, cases[i].second);
        if (!harness_open(&h, layers.data, dl_shape1(6), BATCH, true, 2))
            fail_msg("%s", dl_text_get(&h.error.text));
        assert_int_equal(h.net.param_count, 3);
        assert_int_equal(h.net.weight_count, 6 * 300 + 300 + 6);
        assert_string_equal(h.net.params[2].name, "dense_2.bias");
        dl_net_initialize(&h.net, 1);
        size_t bytes = sizeof(float) * (size_t)h.net.weight_count;
        float *kept = xmalloc(bytes);
        const bool trained[] = {cases[i].weight, cases[i].first_bias, cases[i].second_bias};
        for (int p = 0; p < 3; p++) /* to be overwritten; others are left alone */
            if (trained[p])
                memset(h.net.params[p].grad, 0xFF, sizeof(float) * (size_t)h.net.params[p].count);
        step(&h.net, x, BATCH, 0);
        memcpy(kept, h.net.gradients, bytes);
        step(&h.net, x, BATCH, 0);
        assert_memory_equal(kept, h.net.gradients, bytes);
        for (int p = 0; p < 3; p++)
            for (int64_t k = 0; k < h.net.params[p].count; k++) {
                assert_true(isfinite(h.net.params[p].grad[k]));
                assert_int_equal(h.net.params[p].grad[k] != 0, trained[p]);
            }
        /* the first layer's kernel may have packed the weight by now */
        assert_true(harness_open(&other, layers.data, dl_shape1(6), BATCH, false, 2));
        dl_net_initialize(&other.net, 1);
        dl_pass pass = {.batch = BATCH};
        for (int times = 0; times < 2; times++) {
            dl_net_forward(&h.net, x, &pass);
            dl_net_forward(&other.net, x, &pass);
            for (int k = 0; k < BATCH * 6; k++)
                assert_true(fabsf(dl_net_output(&h.net)->value[k] -
                                  dl_net_output(&other.net)->value[k]) <= 1e-5f);
        }
        free(kept);
        harness_close(&h);
        harness_close(&other);
        dl_text_free(&layers);
    }
}

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_allocation), cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_partial_batch), cmocka_unit_test(test_plan),
        cmocka_unit_test(test_find_bad),      cmocka_unit_test(test_no_needless_gradient),
        cmocka_unit_test(test_frozen_norm),   cmocka_unit_test(test_unpool_far_away),
        cmocka_unit_test(test_nan_wins),      cmocka_unit_test(test_tied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
