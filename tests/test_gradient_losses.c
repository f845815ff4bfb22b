/* SPDX-License-Identifier: MIT */
/* Walks the registry of losses: every one against central differences, on each kind of target. */
#include "gradient.h"

#include "losses/loss.h"

/* Targets as `info` says they are. */
static void make_targets(const dl_target *info, int count, float *t) {
    harness_fill(t, count, 4);
    for (int i = 0; i < count; i++) {
        if (info->classes)
            t[i] = i % info->classes;
        else if (info->most <= 1)
            t[i] = fabs(t[i]) < 1 ? fabs(t[i]) : i % 2;
    }
}

static void check_loss(const dl_loss_type *loss, const void *self, dl_target target, int channels) {
    enum { ROWS = 7 };
    float y[ROWS * 4], t[ROWS * 4], grad[ROWS * 4];
    harness_fill(y, ROWS * channels, 3);
    make_targets(&target, ROWS * channels, t);
    int64_t counts[4] = {0};
    int ignored = loss->ignored ? loss->ignored(self) : -1, counted = ROWS;
    for (int i = 0; target.classes && i < ROWS; i++) {
        counts[(int)t[i]]++;
        counted -= (int)t[i] == ignored;
    }
    target.class_count = target.classes ? counts : NULL;
    double value = loss->evaluate(self, &target, ROWS, channels, y, t, 0.25f, grad);
    assert_true(value == loss->evaluate(self, &target, ROWS, channels, y, t, 0.25f, NULL));
    int slopes = 0;
    for (int i = 0; i < ROWS * channels; i++) {
        float kept = y[i];
        y[i] = kept + STEP;
        double above = loss->evaluate(self, &target, ROWS, channels, y, t, 1, NULL);
        y[i] = kept - STEP;
        double below = loss->evaluate(self, &target, ROWS, channels, y, t, 1, NULL);
        y[i] = kept;
        double slope = 0.25 * (above - below) / (2 * STEP);
        if (!(fabs(slope - grad[i]) < tolerance))
            fail_msg("%s: slope %.9g, gradient %.9g", loss->kind.name, slope, grad[i]);
        slopes += slope != 0;
    }
    assert_true(slopes > 0);
    /* the expected initial loss is that of equal outputs */
    static const double equal[] = {0, 0.5, 1, -0.25};
    int count = target.classes ? ROWS : ROWS * channels;
    target.mean = target.mean_square = target.mean_magnitude = 0;
    for (int i = 0; i < count; i++) {
        target.mean += t[i] / count;
        target.mean_square += t[i] * t[i] / count;
        target.mean_magnitude += fabs(t[i]) / count;
    }
    assert_true(counted > 0 && (ignored < 0 || counted < ROWS));
    for (size_t k = 0; k < sizeof equal / sizeof *equal; k++) {
        for (int i = 0; i < ROWS * channels; i++)
            y[i] = (float)equal[k];
        double got = loss->evaluate(self, &target, ROWS, channels, y, t, 1, NULL) / counted;
        double expected = loss->initial ? loss->initial(self, &target, channels, equal[k]) : NAN;
        if (!isnan(expected) && !(fabs(got - expected) < 1e-9))
            fail_msg("%s of outputs %g: %.9g, not %.9g", loss->kind.name, equal[k], got, expected);
    }
}

/* One loss, under some options, on every kind of target that it takes; returns how many. */
static int check_targets(const dl_loss_type *loss, const char *options) {
    static const dl_target targets[] = {
        {.classes = 4, .outputs = 1},           {.classes = 2, .outputs = 1},
        {.outputs = 3, .least = -4, .most = 4}, {.outputs = 1, .least = -4, .most = 4},
        {.outputs = 4, .least = 0, .most = 1},  {.outputs = 1, .least = 0, .most = 1},
    };
    dl_config config;
    void *self = harness_options(&loss->kind, &config, options);
    int fits = 0;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        for (int channels = 1; channels <= 4; channels++) {
            dl_error error = {0};
            dl_target target = targets[i];
            dl_output output = {dl_shape1(channels), DL_LINEAR, "test", "last", "test",
                                "the last layer"};
            static const int64_t some[4] = {1, 1, 1, 1};
            target.class_count = target.classes ? some : NULL;
            output.activation = loss->straight_through ? DL_STEP : DL_LINEAR;
            if (!loss->check(self, &output, &target, &error)) {
                check_loss(loss, self, target, channels);
                fits++;
            }
            dl_error_clear(&error);
        }
    free(self);
    dl_config_free(&config);
    return fits;
}

static void test_losses(void **state) {
    (void)state;
    for (int k = 0; k < dl_loss_registry.count; k++) {
        const dl_loss_type *loss = (const dl_loss_type *)dl_loss_registry.kinds[k];
        int fits = check_targets(loss, "");
        assert_true(fits > 0);
        for (const dl_option *o = loss->kind.options; o->key; o++) {
            char options[160];
            snprintf(options, sizeof options, "%s = %s;", o->key,
                     o->type == DL_NUMBERS ? "(0.5, 2, 1, 0.25)"
                     : o->type == DL_INT   ? "2"
                                           : "0.2");
            assert_true(check_targets(loss, options) > 0);
        }
        printf("   %-22s %d kinds of target\n", loss->kind.name, fits);
    }
    /* options that interact */
    const dl_kind *softmax = dl_registry_find(&dl_loss_registry, "softmax_cross_entropy");
    assert_int_equal(check_targets((const dl_loss_type *)softmax,
                                   "label_smoothing = 0.3; class_weights = (0.5, 2, 1, 0.25);"),
                     1);
    assert_int_equal(check_targets((const dl_loss_type *)softmax, "class_weights = [2, 3];"), 1);
    assert_int_equal(check_targets((const dl_loss_type *)softmax,
                                   "label_smoothing = 0.3; class_weights = \"balanced\";"),
                     2);
    assert_int_equal(check_targets((const dl_loss_type *)softmax,
                                   "ignore_label = 0; class_weights = \"balanced\";"),
                     1);
    assert_int_equal(check_targets((const dl_loss_type *)softmax,
                                   "label_smoothing = 0.3; ignore_label = 3; class_weights = (0.5, "
                                   "2, 1, 0.25);"),
                     1);
}

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
