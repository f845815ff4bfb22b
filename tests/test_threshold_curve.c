/* SPDX-License-Identifier: MIT */
/* Curves over thresholds and calibration, against scikit-learn 1.x: roc_curve (drop_intermediate =
   False), precision_recall_curve, average_precision_score, calibration_curve (10 bins). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "metrics/threshold_curve.h"

enum { ROWS = 20, POINTS = 11 };

static const int truth[ROWS] = {1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1};
static const float score[ROWS] = {1.5f, 3.5f, 1.5f, 2, -1, 4.5f,  -2, 1.5f,  -0.5f, -0.5f,
                                  -1,   -1,   1.5f, 1, 3,  -2.5f, 1,  -0.5f, 1,     -2};
static const dl_scored_rows rows = {
    .rows = ROWS, .classes = 2, .curves = 1, .score = score, .truth = truth};

static void is(double value, double expected) {
    if (fabs(value - expected) > 1e-12)
        fail_msg("%.17g, not %.17g", value, expected);
}

static void curve_is_that_of_scikit_learn(void **state) {
    static const double false_rate[POINTS] = {0,       0,       0,       0,       0, 1 / 6.0,
                                              2 / 6.0, 3 / 6.0, 5 / 6.0, 5 / 6.0, 1};
    static const double recall[POINTS] = {0,        1 / 14.0,  2 / 14.0,  3 / 14.0, 4 / 14.0, 0.5,
                                          9 / 14.0, 11 / 14.0, 12 / 14.0, 1,        1};
    static const double precision[POINTS] = {1,
                                             1,
                                             1,
                                             1,
                                             1,
                                             0.875,
                                             0.81818181818181823,
                                             0.7857142857142857,
                                             0.70588235294117652,
                                             0.73684210526315785,
                                             0.7};
    dl_threshold_curve c = dl_threshold_curve_new(&rows, 1);
    (void)state;
    assert_int_equal(c.count, POINTS);
    assert_int_equal(c.positive, 14);
    for (int k = 0; k < POINTS; k++) {
        is(c.false_rate[k], false_rate[k]);
        is(c.recall[k], recall[k]);
        is(c.precision[k], precision[k]);
        assert_true(k == 0 ? isinf(c.threshold[0]) : c.threshold[k] < c.threshold[k - 1]);
    }
    is(c.average_precision, 0.85802562651855);
    free(c.threshold);
}

static void calibration_is_that_of_scikit_learn(void **state) {
    static const double observed[] = {0, 1, 1 / 3.0, 2 / 3.0, 2 / 3.0, 0.8, 1};
    static const double predicted[] = {
        0.075858180021243546, 0.11920292202211755, 0.2689414213699951, 0.37754066879814535,
        0.7310585786300049,   0.83021899655049136, 0.97075831781349464};
    dl_calibration c = dl_calibration_new(&rows, DL_SIGMOID);
    int found = 0;
    (void)state;
    for (int b = 0; b < DL_CALIBRATION_BINS; b++)
        if (c.rows[b]) {
            is(c.observed[b], observed[found]);
            is(c.predicted[b], predicted[found++]);
        }
    assert_int_equal(found, 7);
    is(c.error, 0.16650009153372874);
}

/* Of several classes, whether the predicted one is right. */
static void calibration_of_the_predicted_class(void **state) {
    static const int classes[4] = {0, 1, 2, 2};
    static const float scores[12] = {2, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0, 2};
    const dl_scored_rows three = {
        .rows = 4, .classes = 3, .curves = 3, .score = scores, .truth = classes};
    dl_calibration c = dl_calibration_new(&three, DL_SOFTMAX);
    (void)state;
    assert_int_equal(c.rows[8], 4);
    is(c.observed[8], 0.75);
    is(c.error, 1 / (1 + exp(-2)) - 0.75);
}

static void one_class_has_no_curve(void **state) {
    const dl_scored_rows ones = {
        .rows = 3, .classes = 2, .curves = 1, .score = score, .truth = truth};
    (void)state;
    assert_int_equal(dl_threshold_curve_new(&ones, 1).count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curve_is_that_of_scikit_learn),
        cmocka_unit_test(calibration_is_that_of_scikit_learn),
        cmocka_unit_test(calibration_of_the_predicted_class),
        cmocka_unit_test(one_class_has_no_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
