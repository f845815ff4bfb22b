/* Metrics and the confusion matrix, against numbers worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "train/confusion.h"

/* Adds the outcome in two parts, as batches come. */
static double measure(const char *name, dl_outcome o) {
    const dl_metric *metric = dl_metric_find(name);
    double sums[DL_METRIC_SUMS] = {0};
    dl_outcome first = o, rest = o;
    first.rows = o.rows / 2;
    rest.rows = o.rows - first.rows;
    rest.output += first.rows * o.channels;
    rest.target += first.rows * (o.classes ? 1 : o.channels);
    metric->add(sums, &first);
    metric->add(sums, &rest);
    return metric->value(sums);
}

static void test_classes(void **state) {
    (void)state;
    float output[] = {1, 2, 0, 5, 4, 3, 0, 0, 1, 2, 2, 1, 0, 1, 0};
    float target[] = {1, 0, 1, 1, 1}; /* right, right, 2 for 1, the first of a tie for 1, right */
    dl_outcome o = {5, 3, output, target, 3, 0};
    assert_true(measure("accuracy", o) == 3.0 / 5);
    float binary[] = {-1, 2, 0.5f, -3}, truth[] = {0, 1, 0, 1};
    dl_outcome two = {4, 1, binary, truth, 2, 0};
    assert_true(measure("accuracy", two) == 0.5);
    two.threshold = 1;
    assert_true(measure("accuracy", two) == 0.75);
    float six[12] = {6, 5, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1}, last[2] = {5, 0};
    dl_outcome top = {2, 6, six, last, 6, 0};
    assert_true(measure("top5", top) == 0); /* a tie of all counts against it */
    last[0] = 4;
    assert_true(measure("top5", top) == 0.5);
    dl_confusion c = dl_confusion_new(3);
    dl_confusion_add(&c, &o);
    int64_t want[9] = {1, 0, 0, 1, 2, 1, 0, 0, 0};
    assert_memory_equal(c.count, want, sizeof want);
    dl_class_score s = dl_confusion_score(&c, 1);
    assert_true(s.rows == 4 && s.precision == 1 && s.recall == 0.5 && fabs(s.f1 - 2.0 / 3) < 1e-12);
    s = dl_confusion_score(&c, 2); /* never true, once predicted */
    assert_true(s.rows == 0 && s.precision == 0 && isnan(s.recall) && s.f1 == 0);
    dl_mistake mistakes[5];
    assert_int_equal(dl_confusion_mistakes(&c, 5, mistakes), 2);
    assert_true(mistakes[0].truth == 1 && mistakes[0].predicted == 0 && mistakes[0].count == 1);
    dl_confusion_free(&c);
}

static void test_numbers(void **state) {
    (void)state;
    float output[] = {1, 2, 3, 4}, target[] = {2, 2, 2, 6};
    dl_outcome o = {4, 1, output, target, 0, 0};
    assert_true(measure("mse", o) == 6.0 / 4);
    assert_true(measure("rmse", o) == sqrt(1.5));
    assert_true(measure("mae", o) == 1);
    assert_true(fabs(measure("r2", o) - (1 - 6.0 / 12)) < 1e-12);
    float large[] = {100000000, 100000008, 100000016, 100000024}; /* no cancellation */
    dl_outcome far = {4, 1, large, large, 0, 0};
    assert_true(measure("r2", far) == 1);
    float flat[] = {2, 2, 2, 2};
    dl_outcome constant = {4, 1, output, flat, 0, 0};
    assert_true(isnan(measure("r2", constant)));
    output[1] = NAN;
    assert_true(isnan(measure("mse", o)));
    double none[DL_METRIC_SUMS] = {0};
    for (int m = 0; m < dl_metric_count; m++)
        assert_true(isnan(dl_metrics[m].value(none)));
}

static void test_expected_value(void **state) {
    (void)state;
    float logits[] = {0, logf(2), logf(3)}; /* 1/6, 2/6, 3/6 */
    double number[] = {-6, 12, 1};
    assert_true(fabs(dl_expected_value(logits, number, 3) - 3.5) < 1e-6);
    for (int k = 0; k < 3; k++)
        logits[k] += 3000; /* no overflow */
    assert_true(fabs(dl_expected_value(logits, number, 3) - 3.5) < 1e-3);
    logits[1] = NAN;
    assert_true(isnan(dl_expected_value(logits, number, 3)));
}

static void test_hints(void **state) {
    (void)state;
    dl_text hint = {0};
    dl_metric_hint("acuracy", &hint);
    assert_non_null(strstr(hint.data, "did you mean \"accuracy\""));
    dl_text_free(&hint);
    dl_metric_hint("zebra", &hint);
    assert_non_null(strstr(hint.data, "rmse, mae, r2"));
    dl_text_free(&hint);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_expected_value),
        cmocka_unit_test(test_hints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
