/* SPDX-License-Identifier: MIT */
/* The noise of noise.c: its moments, what it leaves alone, that the backward pass draws the same,
   and that neither the threads nor the size of the batch change it. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/threads.h"

enum { BATCH = 40, PLACES = 6 * 5, CHANNELS = 50, SIZE = PLACES * CHANNELS, ALL = BATCH * SIZE };

static float x[ALL], y[ALL], dx[ALL];

/* y and dx = f(x) and f'(x) · 1 of one layer, after the probe. */
static void run(const char *layer, int batch, const dl_pass *with) {
    harness h;
    dl_text layers = {0};
    dl_shape shape = dl_shape3(6, 5, CHANNELS);
    dl_pass pass = *with;
    pass.batch = batch;
    harness_probe(&layers, shape);
    dl_text_add(&layers, "%s", layer);
    if (!harness_open(&h, layers.data, shape, BATCH, true, dl_threads()))
        fail_msg("%s", dl_text_get(&h.error.text));
    harness_identity(&h.net);
    dl_net_forward(&h.net, x, &pass);
    memcpy(y, dl_net_output(&h.net)->value, sizeof *y * (size_t)batch * SIZE);
    for (int64_t i = 0; i < (int64_t)batch * SIZE; i++)
        dl_net_output(&h.net)->grad[i] = 1;
    dl_net_backward(&h.net, &pass);
    memcpy(dx, h.net.layers[0].out.grad, sizeof *dx * (size_t)batch * SIZE);
    harness_close(&h);
    dl_text_free(&layers);
}

static const dl_pass training = {.training = true, .seed = 4, .epoch = 1, .step = 2};

static void moments(const float *v, double *mean, double *deviation) {
    double sum = 0, square = 0;
    for (int i = 0; i < ALL; i++) {
        sum += v[i];
        square += (double)v[i] * v[i];
    }
    *mean = sum / ALL;
    *deviation = sqrt(square / ALL - *mean * *mean);
}

static void close_to(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%g, not %g", got, want);
}

static void test_moments(void **state) {
    (void)state;
    double mean, deviation;
    for (int i = 0; i < ALL; i++)
        x[i] = 2;
    run("{ layer = \"gaussian_noise\"; stddev = 0.3; }", BATCH, &training);
    moments(y, &mean, &deviation);
    close_to(mean, 2, 0.01);
    close_to(deviation, 0.3, 0.005);
    for (int i = 0; i < ALL; i++)
        assert_true(dx[i] == 1);
    run("{ layer = \"gaussian_dropout\"; rate = 0.2; }", BATCH, &training);
    moments(y, &mean, &deviation);
    close_to(mean, 2, 0.02);
    close_to(deviation, 2 * 0.5, 0.02); /* sqrt(0.2 / 0.8) = 0.5 */
    for (int i = 0; i < ALL; i++)
        close_to(dx[i], y[i] / 2, 1e-6);
}

static void test_channels(void **state) {
    (void)state;
    int dropped = 0;
    for (int i = 0; i < ALL; i++)
        x[i] = (float)(1 + i % 7);
    run("{ layer = \"spatial_dropout\"; rate = 0.25; }", BATCH, &training);
    for (int n = 0; n < BATCH; n++)
        for (int c = 0; c < CHANNELS; c++) {
            float factor = dx[n * SIZE + c];
            dropped += factor == 0;
            assert_true(factor == 0 || fabsf(factor - 4.0f / 3) < 1e-6f);
            for (int p = 0; p < PLACES; p++) {
                int i = n * SIZE + p * CHANNELS + c;
                assert_true(dx[i] == factor && y[i] == x[i] * factor);
            }
        }
    close_to(dropped / (double)(BATCH * CHANNELS), 0.25, 0.04);
}

static const char *const layers[] = {"{ layer = \"spatial_dropout\"; }",
                                     "{ layer = \"gaussian_noise\"; stddev = 3; }",
                                     "{ layer = \"gaussian_dropout\"; }"};

static void test_repeats(void **state) {
    (void)state;
    static float kept[ALL], kept_dx[ALL];
    harness_fill(x, ALL, 1);
    for (int l = 0; l < 3; l++) {
        dl_threads_set(1);
        run(layers[l], BATCH, &training);
        memcpy(kept, y, sizeof y);
        memcpy(kept_dx, dx, sizeof dx);
        dl_threads_set(3);
        run(layers[l], BATCH, &training);
        assert_memory_equal(kept, y, sizeof y);
        assert_memory_equal(kept_dx, dx, sizeof dx);
        run(layers[l], 3, &training);
        assert_memory_equal(kept, y, sizeof *y * 3 * SIZE);
        for (int change = 0; change < 3; change++) { /* other coordinates, other numbers */
            dl_pass other = training;
            other.seed += change == 0;
            other.epoch += change == 1;
            other.step += change == 2;
            run(layers[l], BATCH, &other);
            assert_memory_not_equal(kept, y, sizeof y);
        }
    }
}

static void test_not_training(void **state) {
    (void)state;
    dl_pass pass = training;
    pass.training = false;
    harness_fill(x, ALL, 1);
    for (int l = 0; l < 3; l++) {
        run(layers[l], BATCH, &pass);
        assert_memory_equal(x, y, sizeof y);
    }
}

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_not_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
