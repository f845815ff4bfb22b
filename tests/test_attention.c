/* SPDX-License-Identifier: MIT */
/* The attention family: what central differences and single cases of PyTorch do not see. The bits
   do not depend on the threads, the masks not on the batch, nothing looks ahead, dropout's mean,
   numbers outside a vocabulary. */
#include "harness.h"

#include <math.h>
#include <string.h>

#include "math/embedding.h"
#include "math/threads.h"
#include "math/vector.h"

enum { STEPS = 150, CHANNELS = 12, BATCH = 5, SIZE = STEPS * CHANNELS, ALL = BATCH * SIZE };

static const dl_pass training = {.training = true, .seed = 4, .epoch = 1, .step = 2};
static const dl_shape shape = {2, {STEPS, CHANNELS, 1, 1}};

static float x[ALL], y[ALL], dx[ALL];

/* y, and if the net trains dx, of some layers of CHANNELS outputs. */
static void run(const char *layers, int batch, bool trains, const dl_pass *with) {
    harness h;
    dl_text text = {0};
    dl_pass pass = *with;
    pass.batch = batch;
    harness_probe(&text, shape);
    dl_text_add(&text, "%s", layers);
    if (!harness_open(&h, text.data, shape, BATCH, trains, dl_threads()))
        fail_msg("%s", dl_text_get(&h.error.text));
    dl_net_initialize(&h.net, 3);
    harness_identity(&h.net);
    memset(h.net.memory, 0xFF, (size_t)h.net.memory_bytes);
    dl_net_forward(&h.net, x, &pass);
    memcpy(y, dl_net_output(&h.net)->value, sizeof *y * (size_t)batch * SIZE);
    if (trains) {
        harness_fill(dl_net_output(&h.net)->grad, (int64_t)batch * SIZE, 2);
        /* NaN, too: of the gradients of another step nothing stays */
        memset(h.net.gradients, 0xFF, sizeof *h.net.gradients * (size_t)h.net.weight_count);
        dl_net_backward(&h.net, &pass);
        memcpy(dx, h.net.layers[0].out.grad, sizeof *dx * (size_t)batch * SIZE);
        assert_int_equal(dl_find_not_finite(h.net.gradients, h.net.weight_count), -1);
    }
    harness_close(&h);
    dl_text_free(&text);
}

static const char *const layers[] = {
    "{ layer = \"multi_head_attention\"; heads = 3; }",
    "{ layer = \"multi_head_attention\"; heads = 3; causal = true; }",
    "{ layer = \"multi_head_attention\"; heads = 4; causal = true; dropout = 0.3; }",
    "{ layer = \"positional_encoding\"; kind = \"learned\"; }",
};
enum { LAYERS = sizeof layers / sizeof *layers };

/* Weights' gradients are products over all rows, whose threads OpenBLAS and oneDNN share out. */
static void test_threads(void **state) {
    (void)state;
    static float kept[ALL], kept_dx[ALL];
    harness_fill(x, ALL, 1);
    for (int l = 0; l < LAYERS; l++) {
        dl_threads_set(1);
        run(layers[l], BATCH, true, &training);
        memcpy(kept, y, sizeof y);
        memcpy(kept_dx, dx, sizeof dx);
        for (int threads = 2; threads <= 3; threads++) {
            dl_threads_set(threads);
            run(layers[l], BATCH, true, &training);
            assert_memory_equal(kept, y, sizeof y);
            assert_memory_equal(kept_dx, dx, sizeof dx);
        }
        dl_threads_set(2);
        run(layers[l], 2, true, &training); /* nor on how many samples there are beside */
        for (int i = 0; i < 2 * SIZE; i++)
            assert_true(fabsf(kept[i] - y[i]) < 1e-5f);
    }
}

/* Other coordinates, other masks; the same, the same. At test, and in a net that is not trained,
   nothing is dropped. */
static void test_coordinates(void **state) {
    (void)state;
    static float kept[ALL];
    harness_fill(x, ALL, 1);
    run(layers[2], BATCH, true, &training);
    memcpy(kept, y, sizeof y);
    for (int change = 0; change < 4; change++) {
        dl_pass other = training;
        other.seed += change == 1;
        other.epoch += change == 2;
        other.step += change == 3;
        run(layers[2], BATCH, true, &other);
        assert_int_equal(memcmp(kept, y, sizeof y) == 0, change == 0);
    }
    dl_pass test = training;
    test.training = false;
    for (int l = 0; l < LAYERS; l++) {
        run(layers[l], BATCH, true, &test);
        memcpy(kept, y, sizeof y);
        run(layers[l], BATCH, false, &test);
        for (int i = 0; i < ALL; i++)
            assert_true(fabsf(kept[i] - y[i]) < 1e-5f);
    }
    run(layers[2], BATCH, true, &test);
    memcpy(kept, y, sizeof y);
    run("{ layer = \"multi_head_attention\"; heads = 4; causal = true; }", BATCH, true, &training);
    assert_memory_equal(kept, y, sizeof y);
}

/* Under `causal` no step knows of those behind it: the same bits, whatever they are. Without it
   the first one does. */
static void test_causal(void **state) {
    (void)state;
    static float kept[ALL];
    for (int l = 0; l < 3; l++) {
        harness_fill(x, ALL, 1);
        run(layers[l], BATCH, true, &training);
        memcpy(kept, y, sizeof y);
        for (int b = 0; b < BATCH; b++)
            for (int i = 70 * CHANNELS; i < SIZE; i++)
                x[b * SIZE + i] *= 1.5f;
        run(layers[l], BATCH, true, &training);
        for (int b = 0; b < BATCH; b++) {
            int same = !memcmp(kept + b * SIZE, y + b * SIZE, sizeof *y * 70 * CHANNELS);
            assert_int_equal(same, l > 0);
            assert_memory_not_equal(kept + b * SIZE + 70 * CHANNELS, y + b * SIZE + 70 * CHANNELS,
                                    sizeof *y * CHANNELS);
        }
    }
}

/* Of values that are all the same the mean under dropout is right, and its spread is that of
   independent draws: with n equal weights 1/n, variance rate / (1 - rate) / n. */
static void test_dropout(void **state) {
    (void)state;
    harness h;
    double sum = 0, squares = 0;
    int64_t count = 0;
    dl_pass pass = training;
    pass.batch = BATCH;
    assert_true(harness_open(&h, "{ layer = \"multi_head_attention\"; heads = 3; dropout = 0.25; }",
                             shape, BATCH, true, 2));
    for (int64_t i = 0; i < h.net.weight_count; i++)
        h.net.weights[i] = 0;
    const dl_param *p =
        h.net.layers[0].params; /* q = k = 0, v = 1, and the identity for the heads */
    for (int c = 0; c < CHANNELS; c++) {
        p[1].value[c * CHANNELS + c] = 1;
        p[2].value[2 * CHANNELS + c] = 1;
    }
    harness_fill(x, ALL, 1);
    dl_net_forward(&h.net, x, &pass);
    const float *out = dl_net_output(&h.net)->value;
    for (int64_t i = 0; i < ALL;
         i += CHANNELS / 3, count++) { /* all channels of a head are equal */
        assert_true(out[i] == out[i + 1]);
        sum += out[i];
        squares += (double)out[i] * out[i];
    }
    int heads_alike = 0, blocks_alike = 0; /* independent draws: few are equal */
    for (int i = 0; i + 64 * CHANNELS < ALL; i += CHANNELS) {
        heads_alike += out[i] == out[i + CHANNELS / 3];
        blocks_alike += out[i] == out[i + 64 * CHANNELS];
    }
    assert_true(heads_alike < ALL / CHANNELS / 5 && blocks_alike < ALL / CHANNELS / 5);
    double mean = sum / (double)count, variance = squares / (double)count - mean * mean;
    double wanted = 0.25 / 0.75 / STEPS;
    assert_true(fabs(mean - 1) < 0.005);
    assert_true(variance > 0.9 * wanted && variance < 1.1 * wanted);
    harness_close(&h);
}

/* Logits beyond the range of exp. */
static void test_large(void **state) {
    (void)state;
    harness_fill(x, ALL, 1);
    for (int i = 0; i < ALL; i++)
        x[i] *= 1e4f;
    for (int l = 0; l < 3; l++) {
        run(layers[l], BATCH, true, &training);
        assert_int_equal(dl_find_not_finite(y, ALL), -1);
        assert_int_equal(dl_find_not_finite(dx, ALL), -1);
    }
}

/* ---- whole numbers ---- */

enum { ROWS = 3000, UNITS = 37, WORDS = 50 };

/* The sums are in the order of the samples, whatever the threads; rows that nobody read are 0, or
   stay as they were. */
static void test_sums(void **state) {
    (void)state;
    static float numbers[ROWS], dy[ROWS * UNITS], want[WORDS * UNITS], got[WORDS * UNITS];
    harness_fill(dy, ROWS * UNITS, 1);
    for (int i = 0; i < ROWS; i++)
        numbers[i] = (float)(i * i % 37);
    numbers[5] = -1; /* adds to nothing */
    numbers[6] = (float)WORDS;
    numbers[7] = 2.5f;
    for (int beta = 0; beta < 2; beta++)
        for (int threads = 1; threads <= 3; threads++) {
            for (int i = 0; i < WORDS * UNITS; i++) {
                want[i] = beta ? (float)i : 0;
                got[i] = beta ? want[i] : NAN;
            }
            for (int i = 0; i < ROWS; i++)
                for (int j = 0; (i < 5 || i > 7) && j < UNITS; j++)
                    want[(int)numbers[i] * UNITS + j] += dy[i * UNITS + j];
            dl_threads_set(threads);
            dl_embedding_backward(ROWS, WORDS, UNITS, numbers, dy, (float)beta, got);
            assert_memory_equal(want, got, sizeof want);
        }
    dl_threads_set(2);
}

static void test_outside(void **state) {
    (void)state;
    static const float numbers[] = {0,    3,        2.5f,  -1,         4,     4e9f,
                                    -0.f, INFINITY, -5e9f, (float)NAN, 1e30f, 1};
    static const bool inside[] = {true, true,  false, false, false, false,
                                  true, false, false, false, false, true};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    const char *const configs[] = {"{ layer = \"embedding\"; vocabulary = 4; units = 3; }",
                                   "{ layer = \"one_hot\"; classes = 4; }"};
    for (int l = 0; l < 2; l++) {
        harness h;
        dl_pass pass = {.batch = 1, .training = true};
        assert_true(harness_open(&h, configs[l], dl_shape1(COUNT), 1, true, 1));
        dl_net_initialize(&h.net, 1);
        dl_net_forward(&h.net, numbers, &pass);
        const dl_tensor *out = dl_net_output(&h.net);
        int units = dl_shape_channels(out->shape);
        for (int i = 0; i < COUNT * units; i++)
            assert_int_equal(isfinite(out->value[i]) != 0, inside[i / units]);
        assert_int_equal(strncmp(dl_net_find_not_finite(&h.net, numbers, &pass), "layer \"", 7), 0);
        if (!l) {
            harness_fill(out->grad, (int64_t)COUNT * units, 1);
            dl_net_backward(&h.net, &pass);
            assert_int_equal(dl_find_not_finite(h.net.gradients, h.net.weight_count), -1);
        }
        harness_close(&h);
    }
}

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads), cmocka_unit_test(test_coordinates),
        cmocka_unit_test(test_causal),  cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_large),   cmocka_unit_test(test_sums),
        cmocka_unit_test(test_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
