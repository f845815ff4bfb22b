/* SPDX-License-Identifier: MIT */
/* optim/clipping: by hand, and bit-identical for any number of threads. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/threads.h"
#include "optim/clipping.h"

static void test_values(void **state) {
    (void)state;
    float x[] = {0.5f, -0.5f, 0.24f, -0.24f, 0, NAN, INFINITY};
    static const float wanted[] = {0.25f, -0.25f, 0.24f, -0.24f, 0, 0, 0.25f};
    dl_clip_values(x, 7, 0.25);
    assert_true(isnan(x[5]));
    x[5] = 0;
    assert_memory_equal(x, wanted, sizeof x);
}

/* Columns (3, 4), (0.3, 0.4), (0, 0); then units that are rows of two; then of several rows. */
static void test_norms(void **state) {
    (void)state;
    float a[] = {3, 0.3f, 0, 4, 0.4f, 0};
    static const float of_a[] = {1.2f, 0.3f, 0, 1.6f, 0.4f, 0};
    dl_clip_norms(a, 6, 3, 1, 2);
    for (int i = 0; i < 6; i++)
        assert_true(fabsf(a[i] - of_a[i]) < 1e-6f);
    float b[] = {3, 4, 0.3f, 0.4f, 0, 12, 0, 0}; /* units of 3, 4, 0, 12 and 0.3, 0.4, 0, 0 */
    static const float of_b[] = {0.6f, 0.8f, 0.3f, 0.4f, 0, 2.4f, 0, 0};
    dl_clip_norms(b, 8, 2, 2, 2.6);
    for (int i = 0; i < 8; i++)
        assert_true(fabsf(b[i] - of_b[i]) < 1e-6f);
}

/* Mean and variance as requested, added to the values; each step draws its own noise. */
static void test_noise(void **state) {
    (void)state;
    enum { COUNT = 100003 };
    dl_draw draw = {1, DL_FOR_GRADIENT, 0, 2, 3};
    float *x = xmalloc(sizeof *x * COUNT), *first = xmalloc(sizeof *x * COUNT);
    for (int run = 0; run < 3; run++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < COUNT; i++)
            x[i] = 4;
        dl_threads_set(run % 2 + 1);
        draw.step = run == 2 ? 4 : 3;
        dl_add_noise(&draw, 0.5, 0.1, x, COUNT);
        for (int i = 0; i < COUNT; i++) {
            sum += (x[i] - 2.0) / COUNT;
            squares += (x[i] - 2.0) * (x[i] - 2.0) / COUNT;
        }
        assert_true(fabs(sum) < 0.001 && fabs(squares - 0.01) < 0.0002);
        if (run == 1)
            assert_memory_equal(x, first, sizeof *x * COUNT);
        if (run == 2)
            assert_memory_not_equal(x, first, sizeof *x * COUNT);
        memcpy(first, x, sizeof *x * COUNT);
    }
    free(x);
    free(first);
}

/* Several chunks of units, the last one partial. */
static void test_chunks(void **state) {
    (void)state;
    enum { ROWS = 37, UNITS = 201 };
    float *x[2];
    for (int run = 0; run < 2; run++) {
        x[run] = xmalloc(sizeof(float) * ROWS * UNITS);
        harness_fill(x[run], ROWS * UNITS, 4);
        dl_threads_set(run + 1);
        dl_clip_norms(x[run], ROWS * UNITS, UNITS, 1, 6);
    }
    assert_memory_equal(x[0], x[1], sizeof(float) * ROWS * UNITS);
    int at_limit = 0;
    for (int u = 0; u < UNITS; u++) {
        double square = 0;
        for (int r = 0; r < ROWS; r++)
            square += (double)x[0][r * UNITS + u] * x[0][r * UNITS + u];
        assert_true(sqrt(square) < 6 * (1 + 1e-6));
        at_limit += sqrt(square) > 6 * (1 - 1e-6);
    }
    assert_true(at_limit > UNITS / 4 && at_limit < UNITS * 3 / 4);
    free(x[0]);
    free(x[1]);
}

/* Each layer has as many units as biases. */
static void test_units(void **state) {
    (void)state;
    harness h;
    const char *layers = "{ layer = \"conv2d_transpose\"; filters = 3; kernel = 2; },"
                         "{ layer = \"depthwise_conv2d\"; kernel = 2; multiplier = 2; },"
                         "{ layer = \"conv2d\"; filters = 5; kernel = 2; l2 = 0.5; },"
                         "{ layer = \"sequence\"; l1 = 0.25; l2 = 0.125; body = ("
                         "{ layer = \"dense\"; units = 7; },"
                         "{ layer = \"dense\"; units = 7; l2 = 0; } ); }";
    static const double penalties[5][2] = {{-1, -1}, {-1, -1}, {-1, 0.5}, {0.25, 0.125}, {0.25, 0}};
    if (!harness_open(&h, layers, dl_shape3(4, 4, 2), 1, true, 1))
        fail_msg("%s", dl_text_get(&h.error.text));
    for (int p = 0; p < h.net.param_count; p += 2) {
        const dl_param *weight = &h.net.params[p];
        int64_t columns = weight->columns ? weight->columns : dl_shape_channels(weight->shape);
        assert_int_equal(weight->units ? weight->units : columns, h.net.params[p + 1].count);
        assert_int_equal(weight->inner, p ? 0 : 2);
        assert_true(weight->l1 == penalties[p / 2][0] && weight->l2 == penalties[p / 2][1]);
    }
    harness_close(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_norms), cmocka_unit_test(test_noise),
        cmocka_unit_test(test_chunks), cmocka_unit_test(test_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
