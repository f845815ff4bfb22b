/* SPDX-License-Identifier: MIT */
/* Initial values: moments, angles, positions, and the same values for the same seed. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layers/weights.h"
#include "math/orthogonal.h"
#include "math/threads.h"

static void open_net(harness *h, const char *layers, dl_shape shape, uint64_t seed) {
    if (!harness_open(h, layers, shape, 1, true, 1))
        fail_msg("%s: %s", layers, dl_text_get(&h->error.text));
    dl_net_initialize(&h->net, seed);
}

static void test_names(void **state) {
    (void)state;
    for (int i = 0; i < DL_INIT_ONES; i++)
        assert_string_equal(dl_weights_init_names[i + 1], dl_initializers[i].name);
    assert_null(dl_weights_init_names[DL_INIT_ONES + 1]);
}

/* Mean and variance of each initializer; the fourth moment distinguishes normal from uniform. */
static void test_moments(void **state) {
    (void)state;
    enum { COUNT = 60000 };
    static const struct {
        const char *options;
        double mean, variance, kurtosis;
    } cases[] = {{"init = \"xavier\"", 0, 1.0 / 300, 3},
                 {"init = \"he\"", 0, 2.0 / 300, 3},
                 {"init = \"glorot_normal\"", 0, 2.0 / 500, 3},
                 {"init = \"glorot_uniform\"", 0, 2.0 / 500, 1.8},
                 {"init = \"lecun\"", 0, 1.0 / 300, 1.8},
                 {"init = \"normal\"", 0, 0.01 * 0.01, 3},
                 {"init = \"normal\"; init_std = 0.3", 0, 0.09, 3},
                 {"init = \"uniform\"", 0, 0.05 * 0.05 / 3, 1.8},
                 {"init = \"uniform\"; init_limit = 0.6", 0, 0.12, 1.8},
                 {"init = \"orthogonal\"", 0, 1.0 / 300, 3},
                 {"init = \"orthogonal\"; init_gain = 2.0", 0, 4.0 / 300, 3},
                 {"activation = \"relu\"", 0, 2.0 / 300, 3},
                 {"activation = \"tanh\"", 0, 1.0 / 300, 3},
                 {"init = \"constant\"; init_value = -0.3", -0.3, 0, 0},
                 {"init = \"constant\"", 0.1, 0, 0},
                 {"init = \"zeros\"", 0, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        harness h;
        dl_text layer = {0};
        dl_text_add(&layer, "{ layer = \"dense\"; units = 200; %s; }", cases[i].options);
        open_net(&h, layer.data, dl_shape1(300), 5);
        double mean = 0, variance = 0, fourth = 0, wanted = cases[i].variance;
        for (int n = 0; n < COUNT; n++)
            mean += h.net.weights[n] / COUNT;
        for (int n = 0; n < COUNT; n++) {
            double apart = h.net.weights[n] - mean;
            variance += apart * apart / COUNT;
            fourth += apart * apart * apart * apart / COUNT;
        }
        if (fabs(mean - cases[i].mean) > 0.015 * sqrt(wanted) + 1e-7 ||
            fabs(variance - wanted) > 0.03 * wanted + 1e-12 ||
            (wanted > 0 && fabs(fourth / variance / variance - cases[i].kurtosis) > 0.1))
            fail_msg("%s: mean %g, variance %g, fourth moment %g", cases[i].options, mean, variance,
                     fourth);
        for (int n = COUNT; n < COUNT + 200; n++)
            assert_true(h.net.weights[n] == 0); /* the bias */
        harness_close(&h);
        dl_text_free(&layer);
    }
}

/* The scalar products of the columns of value[rows][columns] are `square` or 0; by rows if those
   are fewer. */
static void assert_orthogonal(const float *value, int rows, int columns, double square) {
    bool wide = columns > rows;
    int few = wide ? rows : columns, many = wide ? columns : rows;
    for (int i = 0; i < few; i++)
        for (int j = 0; j <= i; j++) {
            double product = 0;
            for (int n = 0; n < many; n++)
                product += wide ? (double)value[i * columns + n] * value[j * columns + n]
                                : (double)value[n * columns + i] * value[n * columns + j];
            if (fabs(product - (i == j ? square : 0)) > 1e-6 * square)
                fail_msg("%dx%d: vectors %d and %d have the product %g", rows, columns, i, j,
                         product);
        }
}

static void test_orthogonal(void **state) {
    (void)state;
    static const struct {
        const char *layer;
        dl_shape shape;
        int param, rows, columns;
    } cases[] = {{"\"dense\"; units = 30", {1, {70, 1, 1, 1}}, 0, 70, 30},
                 {"\"dense\"; units = 70", {1, {30, 1, 1, 1}}, 0, 30, 70},
                 {"\"dense\"; units = 1", {1, {5, 1, 1, 1}}, 0, 5, 1},
                 {"\"conv2d\"; filters = 12; kernel = (3, 2)", {3, {6, 6, 4, 1}}, 0, 24, 12},
                 {"\"conv2d\"; filters = 40; kernel = 3", {3, {6, 6, 2, 1}}, 0, 18, 40},
                 {"\"conv2d_transpose\"; filters = 3; kernel = 2", {3, {4, 4, 7, 1}}, 0, 12, 7},
                 {"\"depthwise_conv2d\"; multiplier = 2; kernel = 3", {3, {6, 6, 5, 1}}, 0, 9, 10},
                 {"\"lstm\"; units = 9", {2, {3, 4, 1, 1}}, 0, 4, 36},
                 {"\"simple_rnn\"; units = 9", {2, {3, 4, 1, 1}}, 1, 9, 9}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        harness h;
        dl_text layer = {0};
        dl_text_add(&layer, "{ layer = %s; init = \"orthogonal\"; init_gain = 1.5; }",
                    cases[i].layer);
        open_net(&h, layer.data, cases[i].shape, 3);
        const dl_param *param = &h.net.params[cases[i].param];
        assert_int_equal(param->count, cases[i].rows * cases[i].columns);
        assert_orthogonal(param->value, cases[i].rows, cases[i].columns, 2.25);
        harness_close(&h);
        dl_text_free(&layer);
    }
}

/* An output of a convolution that spreads sees the taps of one phase of the stride. */
static void test_fan_in(void **state) {
    (void)state;
    static const struct {
        const char *layer;
        int64_t fan_in, fan_out;
    } cases[] = {
        {"\"conv2d\"; filters = 3; kernel = 4; stride = 2", 16 * 7, 16 * 3},
        {"\"conv2d_transpose\"; filters = 3; kernel = 4; stride = 1", 16 * 7, 16 * 3},
        {"\"conv2d_transpose\"; filters = 3; kernel = 4; stride = 2", 4 * 7, 16 * 3},
        {"\"conv2d_transpose\"; filters = 3; kernel = (4, 2); stride = (1, 3)", 4 * 7, 8 * 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        harness h;
        dl_text layer = {0};
        dl_text_add(&layer, "{ layer = %s; }", cases[i].layer);
        open_net(&h, layer.data, dl_shape3(6, 6, 7), 3);
        assert_int_equal(h.net.params[0].fan_in, cases[i].fan_in);
        assert_int_equal(h.net.params[0].fan_out, cases[i].fan_out);
        harness_close(&h);
        dl_text_free(&layer);
    }
}

/* By hand: (3, 4), (1, 1) become (0.6, 0.8), (0.8, -0.6); signs as they were, any threads. */
static void test_gram_schmidt(void **state) {
    (void)state;
    float columns[4] = {3, 1, 4, 1}, rows[6] = {-3, 0, -4, 1, 0, 1};
    static const float wanted[4] = {0.6f, 0.8f, 0.8f, -0.6f}; /* by columns */
    static const float of_rows[6] = {-0.6f, 0, -0.8f, 0.8f, 0, -0.6f};
    dl_orthogonalize(2, 2, columns);
    dl_orthogonalize(2, 3, rows);
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(columns[i] - wanted[i]) < 1e-6f);
    for (int i = 0; i < 6; i++)
        assert_true(fabsf(rows[i] - of_rows[i]) < 1e-6f);
    enum { SIDE = 300 };
    float *a[2];
    for (int run = 0; run < 2; run++) {
        a[run] = xmalloc(sizeof(float) * SIDE * SIDE);
        harness_fill(a[run], SIDE * SIDE, 1);
        dl_threads_set(run + 1);
        dl_orthogonalize(SIDE, SIDE, a[run]);
    }
    assert_memory_equal(a[0], a[1], sizeof(float) * SIDE * SIDE);
    free(a[0]);
    free(a[1]);
}

/* A layer that begins as the identity hands its input on. */
static void test_identity(void **state) {
    (void)state;
    static const struct {
        const char *layer;
        dl_shape shape;
    } cases[] = {{"\"dense\"; units = 6", {1, {6, 1, 1, 1}}},
                 {"\"dense\"; units = 4", {1, {6, 1, 1, 1}}},
                 {"\"dense\"; units = 15", {1, {6, 1, 1, 1}}},
                 {"\"conv2d\"; filters = 4; kernel = 3; padding = 1", {3, {5, 6, 4, 1}}},
                 {"\"conv2d\"; filters = 4; kernel = (1, 3); padding = (0, 1); groups = 2",
                  {3, {5, 6, 4, 1}}},
                 {"\"depthwise_conv2d\"; kernel = 3; padding = 1", {3, {5, 6, 4, 1}}},
                 {"\"conv2d_transpose\"; filters = 4; kernel = 3; padding = 1", {3, {5, 6, 4, 1}}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        harness h;
        dl_text layer = {0};
        dl_text_add(&layer,
                    "{ layer = %s; init = \"identity\"; init_gain = 2.0; bias_init = 0.5; }",
                    cases[i].layer);
        open_net(&h, layer.data, cases[i].shape, 3);
        float x[120];
        harness_fill(x, 120, 2);
        dl_net_forward(&h.net, x, &(dl_pass){.batch = 1});
        const dl_tensor *out = dl_net_output(&h.net);
        int in = dl_shape_channels(cases[i].shape), channels = dl_shape_channels(out->shape);
        for (int n = 0; n < dl_shape_size(out->shape); n++)
            if (fabsf(out->value[n] - 2 * x[n / channels * in + n % channels % in] - 0.5f) > 1e-6f)
                fail_msg("%s: output %d is %g", cases[i].layer, n, out->value[n]);
        harness_close(&h);
        dl_text_free(&layer);
    }
}

/* The same seed, the same weights; another seed, or another layer, other ones. */
static void test_repeats(void **state) {
    (void)state;
    const char *layers = "{ layer = \"dense\"; units = 40; init = \"orthogonal\"; },"
                         "{ layer = \"dense\"; units = 40; init = \"orthogonal\"; bias = false; },"
                         "{ layer = \"dense\"; units = 40; init = \"lecun\"; }";
    harness a, b, c;
    open_net(&a, layers, dl_shape1(40), 5);
    open_net(&b, layers, dl_shape1(40), 5);
    open_net(&c, layers, dl_shape1(40), 6);
    size_t bytes = sizeof(float) * 1600;
    assert_memory_equal(a.net.weights, b.net.weights, sizeof(float) * (size_t)a.net.weight_count);
    for (int p = 0; p < a.net.param_count; p++)
        if (a.net.params[p].count == 1600)
            assert_memory_not_equal(a.net.params[p].value, c.net.params[p].value, bytes);
    assert_memory_not_equal(a.net.params[0].value, a.net.params[2].value, bytes);
    harness_close(&a);
    harness_close(&b);
    harness_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_orthogonal),   cmocka_unit_test(test_fan_in),
        cmocka_unit_test(test_gram_schmidt), cmocka_unit_test(test_identity),
        cmocka_unit_test(test_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
