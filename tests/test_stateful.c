/* SPDX-License-Identifier: MIT */
/* Stateful layers: two batches after each other are one sequence of twice the length. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/threads.h"

enum { BATCH = 5, STEPS = 4, CHANNELS = 3, UNITS = 6 };
static const char *const types[] = {"lstm", "gru", "simple_rnn"};

static bool open_net(harness *h, const char *type, int steps, const char *keys, bool training) {
    dl_text layers = {0};
    dl_text_add(&layers,
                "{ layer = \"%s\"; units = %d; %s }, { layer = \"%s\"; units = %d; %s return = "
                "\"last\"; }",
                type, UNITS, keys, type, UNITS, keys);
    bool result = harness_open(h, layers.data, dl_shape2(steps, CHANNELS), BATCH, training, 2);
    dl_text_free(&layers);
    if (result)
        dl_net_initialize(&h->net, 3);
    return result;
}

/* Steps first .. first + STEPS of x[BATCH][2 STEPS][CHANNELS]. */
static void take_half(const float *x, int first, float *half) {
    for (int b = 0; b < BATCH; b++)
        memcpy(half + b * STEPS * CHANNELS, x + (2 * b * STEPS + first) * CHANNELS,
               sizeof *x * STEPS * CHANNELS);
}

static void assert_same(const float *a, const float *b, int rows) {
    for (int i = 0; i < rows * UNITS; i++)
        assert_true(fabsf(a[i] - b[i]) <= 1e-6f);
}

static void check_type(const char *type, bool training) {
    harness whole, half;
    float x[BATCH * 2 * STEPS * CHANNELS], part[BATCH * STEPS * CHANNELS], first[BATCH * UNITS];
    dl_pass pass = {.batch = BATCH, .training = training, .carry = true};
    harness_fill(x, BATCH * 2 * STEPS * CHANNELS, 1);
    assert_true(open_net(&whole, type, 2 * STEPS, "", training));
    assert_true(open_net(&half, type, STEPS, "stateful = true;", training));
    assert_null(dl_net_stateful(&whole.net));
    assert_ptr_equal(dl_net_stateful(&half.net), &half.net.layers[0]);
    dl_net_forward(&whole.net, x, &pass);
    const float *want = dl_net_output(&whole.net)->value, *got = dl_net_output(&half.net)->value;
    for (int again = 0; again < 2; again++) { /* a pass that begins forgets the one before */
        dl_net_begin(&half.net);
        take_half(x, 0, part);
        dl_net_forward(&half.net, part, &pass);
        memcpy(first, got, sizeof first);
        take_half(x, STEPS, part);
        dl_net_forward(&half.net, part, &pass);
        assert_same(got, want, BATCH);
    }
    /* a pass without carry does not change the state; a smaller batch changes only its rows */
    dl_net_begin(&half.net);
    pass.carry = false;
    take_half(x, 0, part);
    for (int again = 0; again < 2; again++) {
        dl_net_forward(&half.net, part, &pass);
        assert_memory_equal(got, first, sizeof first);
    }
    pass.carry = true;
    dl_net_forward(&half.net, part, &pass);
    pass.batch = 2;
    take_half(x, STEPS, part);
    dl_net_forward(&half.net, part, &pass);
    assert_same(got, want, 2);
    harness_close(&whole);
    harness_close(&half);
}

static void test_goes_on(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++)
        for (int training = 0; training < 2; training++)
            check_type(types[t], training);
}

/* Carried states have their own flag, are not trained, and start with zeros. */
static void test_states(void **state) {
    (void)state;
    static const char *const names[] = {"lstm_1.state", "lstm_1.memory", "lstm_2.state",
                                        "lstm_2.memory"};
    harness h;
    assert_true(open_net(&h, "lstm", STEPS, "stateful = true;", true));
    assert_int_equal(h.net.state_param_count, 4);
    for (int s = 0; s < 4; s++) {
        const dl_param *param = &h.net.state_params[s];
        assert_string_equal(param->name, names[s]);
        assert_int_equal(param->count, BATCH * UNITS);
        assert_true(param->flags & DL_CARRIED);
        for (int64_t i = 0; i < param->count; i++)
            assert_true(param->value[i] == 0);
    }
    harness_close(&h);
    assert_true(open_net(&h, "gru", STEPS, "stateful = true;", true));
    assert_int_equal(h.net.state_param_count, 2);
    harness_close(&h);
    assert_false(open_net(&h, "gru", STEPS, "stateful = true; bidirectional = true;", true));
    harness_close(&h);
    /* running statistics stay when a pass begins */
    assert_true(harness_open(&h, "{ layer = \"batch_norm\"; }", dl_shape1(3), 2, true, 1));
    dl_net_initialize(&h.net, 1);
    dl_net_begin(&h.net);
    assert_true(h.net.state_params[1].value[0] == 1);
    harness_close(&h);
}

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
