/* SPDX-License-Identifier: MIT */
/* The mixtures of shake: forward and backward have other ones, as the generator of random numbers
   gives them, evenly spread, and neither the threads nor the size of the batch change them. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/threads.h"

enum { BATCH = 2000, SIZE = 10, MOST = 4 };

static const dl_pass training = {.training = true, .seed = 4, .epoch = 1, .step = 2};

/* Forward and backward shares of a run: [sample][input]. */
typedef struct {
    float forward[BATCH][MOST], backward[BATCH][MOST];
} shares;

static shares first, other;

/* A layer that reads `inputs` others, all of which have a gradient. */
static dl_layer *open_shake(harness *h, int inputs, const char *per) {
    dl_text layers = {0}, names = {0};
    harness_probe(&layers, dl_shape1(SIZE));
    for (int k = 0; k < inputs; k++) {
        dl_text_add(&layers, "{ layer = \"scale\"; name = \"s%d\"; inputs = (\"probe\"); }, ", k);
        dl_text_add(&names, "%s\"s%d\"", k ? ", " : "", k);
    }
    dl_text_add(&layers, "{ layer = \"shake\"; per = \"%s\"; inputs = (%s); }", per, names.data);
    if (!harness_open(h, layers.data, dl_shape1(SIZE), BATCH, true, dl_threads()))
        fail_msg("%s", dl_text_get(&h->error.text));
    dl_net_initialize(&h->net, 1);
    dl_text_free(&layers);
    dl_text_free(&names);
    return &h->net.layers[h->net.layer_count - 1];
}

/* Input k is 1 and the others are 0: then y is the share of k. */
static void run(shares *s, int inputs, const char *per, const dl_pass *with, int batch) {
    static float x[BATCH * SIZE];
    harness h;
    dl_layer *layer = open_shake(&h, inputs, per);
    dl_pass pass = *with;
    pass.batch = batch;
    memset(s, 0, sizeof *s);
    dl_net_forward(&h.net, x, &pass);
    for (int k = 0; k < inputs; k++) {
        for (int j = 0; j < inputs; j++)
            for (int i = 0; i < batch * SIZE; i++)
                layer->in[j].value[i] = j == k;
        dl_layer_forward(layer, &pass);
        for (int i = 0; i < batch * SIZE; i++) {
            assert_true(layer->out.value[i] == layer->out.value[i / SIZE * SIZE]);
            s->forward[i / SIZE][k] = layer->out.value[i];
        }
    }
    for (int i = 0; i < batch * SIZE; i++)
        layer->out.grad[i] = 2;
    dl_layer_backward(layer, &pass);
    for (int k = 0; k < inputs; k++)
        for (int i = 0; i < batch * SIZE; i++) {
            assert_true(layer->in[k].grad[i] == layer->in[k].grad[i / SIZE * SIZE]);
            s->backward[i / SIZE][k] = layer->in[k].grad[i] / 2;
        }
    harness_close(&h);
}

/* Recomputed from the random numbers at this index. */
static void check_mixture(const float *got, int inputs, int64_t index) {
    dl_draw draw = {4, DL_FOR_DROPOUT, (uint16_t)(inputs + 1), 1, 2};
    float u[MOST];
    double sum = 0;
    dl_random_uniform(&draw, index * DL_MAX_INPUTS, inputs, u);
    for (int k = 0; k < inputs; k++)
        sum -= log(1 - (u[k] + 0x1p-25));
    for (int k = 0; k < inputs; k++) {
        double want = -log(1 - (u[k] + 0x1p-25)) / sum;
        if (!(fabs(got[k] - want) < 1e-6))
            fail_msg("share %d of %d at %lld: %g, not %g", k, inputs, (long long)index, got[k],
                     want);
    }
}

static void test_shares(void **state) {
    (void)state;
    for (int inputs = 2; inputs <= MOST; inputs++) {
        run(&first, inputs, "sample", &training, BATCH);
        for (int n = 0; n < BATCH; n++) {
            check_mixture(first.forward[n], inputs, 2 * n);
            check_mixture(first.backward[n], inputs, 2 * n + 1);
        }
        run(&first, inputs, "batch", &training, BATCH);
        for (int n = 0; n < BATCH; n++) {
            check_mixture(first.forward[n], inputs, 0);
            check_mixture(first.backward[n], inputs, 1);
        }
    }
}

/* All mixtures are equally likely: a share has the mean 1/K and the variance (K - 1) / (K^2
   (K + 1)), of two it is uniform, and forward tells nothing of backward. */
static void test_spread(void **state) {
    (void)state;
    for (int inputs = 2; inputs <= MOST; inputs++) {
        double mean = 1.0 / inputs, variance = (inputs - 1) * mean * mean / (inputs + 1);
        run(&first, inputs, "sample", &training, BATCH);
        for (int k = 0; k < inputs; k++) {
            double sum[2] = {0}, square[2] = {0}, both = 0;
            int below[4] = {0};
            for (int n = 0; n < BATCH; n++) {
                double a = first.forward[n][k] - mean, b = first.backward[n][k] - mean;
                sum[0] += a;
                sum[1] += b;
                square[0] += a * a;
                square[1] += b * b;
                both += a * b;
                below[(int)fmin(3, 4 * first.forward[n][k])]++;
            }
            for (int i = 0; i < 2; i++) {
                assert_true(fabs(sum[i] / BATCH) < 0.02);
                assert_true(fabs(square[i] / BATCH - variance) < 0.08 * variance);
            }
            assert_true(fabs(both / BATCH) < 0.08 * variance);
            for (int q = 0; q < 4 && inputs == 2; q++)
                assert_true(abs(below[q] - BATCH / 4) < 80);
        }
    }
}

static void test_repeats(void **state) {
    (void)state;
    static const char *const per[] = {"sample", "batch"};
    for (int p = 0; p < 2; p++) {
        dl_threads_set(1);
        run(&first, 3, per[p], &training, BATCH);
        dl_threads_set(3);
        run(&other, 3, per[p], &training, BATCH);
        assert_memory_equal(&first, &other, sizeof first);
        run(&other, 3, per[p], &training, 7);
        assert_memory_equal(first.forward, other.forward, sizeof first.forward[0] * 7);
        assert_memory_equal(first.backward, other.backward, sizeof first.backward[0] * 7);
        for (int change = 0; change < 3; change++) { /* other coordinates, other numbers */
            dl_pass changed = training;
            changed.seed += change == 0;
            changed.epoch += change == 1;
            changed.step += change == 2;
            run(&other, 3, per[p], &changed, 7);
            assert_memory_not_equal(first.forward[0], other.forward[0], sizeof(float) * 3);
            assert_memory_not_equal(first.backward[0], other.backward[0], sizeof(float) * 3);
        }
    }
    dl_threads_set(2);
}

/* At test: the mean, forward and backward. (That the backward pass is its gradient, and both with
   numbers that differ, is left to the walk over the registry.) */
static void test_mean(void **state) {
    (void)state;
    dl_pass pass = training;
    pass.training = false;
    run(&first, 4, "sample", &pass, BATCH);
    for (int n = 0; n < BATCH; n++)
        for (int k = 0; k < 4; k++)
            assert_true(first.forward[n][k] == 0.25f && first.backward[n][k] == 0.25f);
}

/* As the block's merge: the branches, and then one layer that mixes them. */
static void test_block(void **state) {
    (void)state;
    harness h;
    const char *layers = "{ layer = \"parallel\"; merge = \"shake\"; branches = ("
                         "({ layer = \"dense\"; units = 3; }), ({ layer = \"dense\"; units = 3; "
                         "}), ({ layer = \"dense\"; units = 3; }) ); }";
    assert_true(harness_open(&h, layers, dl_shape1(2), 2, true, 1));
    assert_int_equal(h.net.layer_count, 4);
    assert_string_equal(h.net.layers[3].type->kind.name, "shake");
    assert_int_equal(h.net.layers[3].input_count, 3);
    harness_close(&h);
}

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),  cmocka_unit_test(test_spread),
        cmocka_unit_test(test_repeats), cmocka_unit_test(test_mean),
        cmocka_unit_test(test_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
