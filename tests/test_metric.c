/* SPDX-License-Identifier: MIT */
/* Metrics and the confusion matrix: by hand, and against tests/golden/metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/activation.h"
#include "metrics/accumulator.h"
#include "metrics/confusion.h"

/* Adds the outcome in two batches. */
static double measure(const char *name, dl_outcome o) {
    const dl_metric *metric = dl_metric_find(name);
    dl_accumulator accumulator;
    dl_outcome first = o, rest = o;
    first.rows = o.rows / 2;
    rest.rows = o.rows - first.rows;
    rest.output += first.rows * o.channels;
    rest.target += first.rows * (o.classes ? 1 : o.channels);
    assert_non_null(metric);
    dl_accumulator_open(&accumulator, &metric, 1, o.classes, o.channels, true);
    dl_accumulator_add(&accumulator, &first, &first); /* discarded */
    dl_accumulator_clear(&accumulator);
    dl_accumulator_add(&accumulator, &first, &first);
    dl_accumulator_add(&accumulator, &rest, &rest);
    double value = dl_accumulator_value(&accumulator, 0);
    dl_accumulator_close(&accumulator);
    return value;
}

static void expect(const char *name, dl_outcome o, double want) {
    double got = measure(name, o);
    if (!(fabs(got - want) < 1e-9 * (1 + fabs(want))) && !(isnan(got) && isnan(want)))
        fail_msg("%s: %.15g, not %.15g", name, got, want);
}

static double class_value(const char *name, const dl_class_count *count) {
    return dl_metric_find(name)->of_class(count);
}

static void test_classes(void **state) {
    (void)state;
    float output[] = {1, 2, 0, 5, 4, 3, 0, 0, 1, 2, 2, 1, 0, 1, 0};
    float target[] = {1, 0, 1, 1,
                      1}; /* correct, correct, 2 for 1, the first of a tie for 1, correct */
    dl_outcome o = {5, 3, output, target, 3, 0, 0, NULL};
    assert_true(measure("accuracy", o) == 3.0 / 5);
    float binary[] = {-1, 2, 0.5f, -3}, truth[] = {0, 1, 0, 1};
    dl_outcome two = {4, 1, binary, truth, 2, 0, 0, NULL};
    assert_true(measure("accuracy", two) == 0.5);
    two.threshold = 1;
    assert_true(measure("accuracy", two) == 0.75);
    float six[12] = {6, 5, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1}, last[2] = {5, 0};
    dl_outcome top = {2, 6, six, last, 6, 0, 0, NULL};
    assert_true(measure("top5", top) == 0); /* a tie of all counts against it */
    last[0] = 4;
    assert_true(measure("top5", top) == 0.5);
    dl_confusion c = dl_confusion_new(3);
    dl_confusion_add(&c, &o);
    int64_t want[9] = {1, 0, 0, 1, 2, 1, 0, 0, 0};
    assert_memory_equal(c.count, want, sizeof want);
    dl_class_count s = dl_confusion_count(&c, 1);
    assert_true(s.rows == 4 && s.predicted == 2 && s.correct == 2);
    assert_true(class_value("precision", &s) == 1 && class_value("recall", &s) == 0.5 &&
                fabs(class_value("f1", &s) - 2.0 / 3) < 1e-12 && class_value("iou", &s) == 0.5);
    s = dl_confusion_count(&c, 2); /* never true, once predicted */
    assert_true(s.rows == 0 && class_value("precision", &s) == 0 &&
                isnan(class_value("recall", &s)) && class_value("f1", &s) == 0);
    dl_misclassification wrong[5];
    assert_int_equal(dl_confusion_misclassified(&c, 5, wrong), 2);
    assert_true(wrong[0].truth == 1 && wrong[0].predicted == 0 && wrong[0].count == 1);
    dl_confusion_free(&c);
}

static void test_numbers(void **state) {
    (void)state;
    float output[] = {1, 2, 3, 4}, target[] = {2, 2, 2, 6};
    dl_outcome o = {4, 1, output, target, 0, 0, 0, NULL};
    assert_true(measure("mse", o) == 6.0 / 4);
    assert_true(measure("rmse", o) == sqrt(1.5));
    assert_true(measure("mae", o) == 1);
    assert_true(fabs(measure("r2", o) - (1 - 6.0 / 12)) < 1e-12);
    float large[] = {100000000, 100000008, 100000016, 100000024}; /* no cancellation */
    dl_outcome far = {4, 1, large, large, 0, 0, 0, NULL};
    assert_true(measure("r2", far) == 1);
    float flat[] = {2, 2, 2, 2};
    dl_outcome constant = {4, 1, output, flat, 0, 0, 0, NULL};
    assert_true(isnan(measure("r2", constant)));
    output[1] = NAN;
    assert_true(isnan(measure("mse", o)));
    assert_true(isnan(measure("r2", o)));
}

/* Golden numbers by scikit-learn 1.9.1: r2_score, root_mean_squared_error and so on, with
   multioutput = "uniform_average". */
static void test_several_outputs(void **state) {
    (void)state;
    float output[] = {1, 990, 0.5f, 2, 1010, 0.5f, 3, 1000, 0.25f, 4.5f, 1001, 0.5f};
    float target[] = {2, 1000, 0.5f, 2, 1005, 0, 2.5f, 995, 1, 6, 1000, 0.75f};
    dl_outcome o = {4, 3, output, target, 0, 0, 0, NULL};
    expect("r2", o, -0.6442830540037244);
    expect("rmse", o, 3.5983213678973516); /* sqrt(mse), as Keras: not a mean of roots */
    expect("mse", o, 12.947916666666666);
    expect("mae", o, 2.125);
    for (int i = 2; i < 12; i += 3)
        target[i] = 1; /* does not vary: left out (scikit-learn counts 0) */
    expect("r2", o, -0.6664245810055867);
    output[0] = NAN;
    expect("r2", o, NAN);
    expect("rmse", o, NAN);
}

/* No rows: NaN, which is never an improvement. */
static void test_nothing(void **state) {
    (void)state;
    for (int classes = 0; classes < 4; classes++)
        for (int m = 0; m < dl_metric_count; m++) {
            dl_outcome none = {.channels = classes ? classes : 4, .classes = classes};
            if (classes != 1 && (classes ? dl_metrics[m]->for_classes : dl_metrics[m]->for_numbers))
                expect(dl_metrics[m]->name, none, NAN);
        }
}

static uint32_t drawn;
static int draw(void) {
    drawn = (1103515245u * drawn + 12345u) & 0x7fffffffu;
    return (int)((drawn >> 16) % 9);
}

static float *floats(json_t *array) {
    float *values = xmalloc(sizeof *values * json_array_size(array));
    for (size_t i = 0; i < json_array_size(array); i++)
        values[i] = (float)json_number_value(json_array_get(array, i));
    return values;
}

static void check_golden(const char *name, json_t *golden) {
    const char *link = json_string_value(json_object_get(golden, "link"));
    json_t *outputs = json_object_get(golden, "output"),
           *targets = json_object_get(golden, "target");
    int channels = (int)json_integer_value(json_object_get(golden, "channels"));
    float *output = floats(outputs), *target = floats(targets);
    dl_outcome o = {.rows = (int64_t)json_array_size(outputs) / channels,
                    .channels = channels,
                    .output = output,
                    .target = target,
                    .classes = (int)json_integer_value(json_object_get(golden, "classes")),
                    .link = !strcmp(link, "softmax")   ? DL_SOFTMAX
                            : !strcmp(link, "sigmoid") ? DL_SIGMOID
                                                       : DL_LINEAR};
    assert_int_equal(json_array_size(targets), o.rows * (o.classes ? 1 : channels));
    assert_string_equal(json_string_value(json_object_get(golden, "metric")), name);
    expect(name, o, json_number_value(json_object_get(golden, "value")));
    free(output);
    free(target);
}

/* Metric NAME needs tests/golden/metrics/NAME.json, with cases of classes, of numbers, or both. */
static void test_golden(void **state) {
    (void)state;
    for (int m = 0; m < dl_metric_count; m++) {
        const dl_metric *metric = dl_metrics[m];
        char path[128];
        snprintf(path, sizeof path, "tests/golden/metrics/%s.json", metric->name);
        json_t *list = json_load_file(path, 0, NULL);
        bool classes = false, numbers = false;
        for (size_t i = 0; i < json_array_size(list); i++) {
            json_t *golden = json_array_get(list, i);
            bool of_classes = json_integer_value(json_object_get(golden, "classes")) > 0;
            classes |= of_classes;
            numbers |= !of_classes;
            check_golden(metric->name, golden);
        }
        if (classes != metric->for_classes || numbers != metric->for_numbers)
            fail_msg("%s: missing or incomplete; tests/golden/make.py metrics/%s makes it", path,
                     metric->name);
        json_decref(list);
    }
}

/* Log loss of probabilities; AUC of probabilities that round to 1, and of scores. */
static void test_links(void **state) {
    (void)state;
    float p[] = {0.5f, 0.25f, 0.25f, 0.125f, 0.125f, 0.75f}, t[] = {1, 2};
    dl_outcome probabilities = {2, 3, p, t, 3, 0, DL_LINEAR, NULL};
    expect("log_loss", probabilities, (log(4) - log(0.75)) / 2);
    float z[] = {1000, 0, 0, 900, 0, 0, 1100, 0, 0}, first[] = {1, 1, 0};
    dl_outcome saturated = {3, 3, z, first, 3, 0, DL_SOFTMAX, NULL};
    expect("auc", saturated, 1);
    float score[] = {-3, 2, 5, 1}, positive[] = {0, 1, 1, 0};
    dl_outcome scores = {4, 1, score, positive, 2, 0, DL_NO_PROBABILITIES, NULL};
    expect("auc", scores, 1);
}

/* Classes that do not occur, are never predicted, or both. */
static void test_absent_classes(void **state) {
    (void)state;
    float output[] = {1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0};
    float target[] = {0, 0, 2, 0}; /* predicted: 0, 2, 1, 0; class 3 is nowhere */
    dl_outcome o = {4, 4, output, target, 4, 0, DL_LINEAR, NULL};
    expect("precision", o, (1.0 + 0 + 0) / 3); /* 0: 2 of 2; 1: 0 of 1; 2: 0 of 1 */
    expect("recall", o, (2.0 / 3 + 0) / 2);    /* class 1 does not occur */
    expect("f1", o, (4.0 / 5 + 0 + 0) / 3);    /* class 3 is left out */
    expect("iou", o, (2.0 / 3 + 0 + 0) / 3);
    float never[] = {0, 0, 0}, rare[] = {1, 0, 0};
    dl_outcome two = {3, 1, never, rare, 2, 0, DL_LINEAR, NULL};
    expect("precision", two, 0); /* occurs but is never predicted */
    expect("recall", two, 0);
    expect("auc", two, 0.5); /* all the same */
    two.target = never;
    expect("precision", two, NAN);
    expect("recall", two, NAN);
    expect("f1", two, NAN);
    expect("auc", two, NAN);
    expect("log_loss", two, 0);
    two.target = rare; /* ln 0 */
    expect("log_loss", two, -log((double)FLT_MIN) / 3);
    never[2] = NAN;
    expect("auc", two, NAN);
    expect("log_loss", two, NAN);
    float far[] = {-3000, 3000};
    dl_outcome wrong = {1, 2, far, never, 2, 0, DL_SOFTMAX, NULL}; /* no overflow */
    expect("log_loss", wrong, 6000);
    wrong.channels = 1;
    wrong.link = DL_SIGMOID;
    wrong.target = rare;
    expect("log_loss", wrong, 3000);
}

static void test_masks_and_boxes(void **state) {
    (void)state;
    float output[] = {0.9f, 0.6f, 0.2f, 0.5f, 0.7f, 0}, target[] = {1, 0, 1, 0, 1, 0};
    dl_outcome o = {2, 3, output, target, 0, 0, 0, NULL};
    expect("iou", o, 2.0 / 4);
    expect("dice", o, 4.0 / 6);
    output[3] = NAN;
    expect("iou", o, NAN);
    /* two of four units overlap in one; one inside another, twice; a width below zero */
    float said[] = {0, 0, 2, 2, 1, 1, 1, 1, 0, 0, 4, 4, 0, 0, -1, 1};
    float is[] = {1, 1, 2, 2, 0, 0, 4, 4, 1, 2, 1, 1, 0, 0, 1, 1};
    dl_outcome boxes = {4, 4, said, is, 0, 0, 0, NULL};
    expect("box_iou", boxes, (1.0 / 7 + 1.0 / 16 + 1.0 / 16 + 0) / 4);
    boxes.output = is;
    expect("box_iou", boxes, 1);
    said[0] = NAN;
    boxes.output = said;
    expect("box_iou", boxes, NAN);
}

static void test_top(void **state) {
    (void)state;
    float z[] = {5, 4, 3, 2, 1, 5, 4, 3, 2, 1}, t[] = {2, 1};
    dl_outcome o = {2, 5, z, t, 5, 0, 0, NULL};
    expect("top1", o, 0);
    expect("top2", o, 0.5);
    expect("top3", o, 1);
    assert_ptr_equal(dl_metric_find("top3"), dl_metric_find("top3"));
    assert_string_equal(dl_metric_find("top17")->name, "top17");
    assert_int_equal(dl_metric_find("top1000")->k, 1000);
    static const char *const none[] = {"top",   "top0",  "top03",         "top1001",
                                       "top5x", "top-1", "top99999999999"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(dl_metric_find(none[i]));
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

/* ---- every metric ---- */

enum { WALKED = 60 };

typedef struct {
    double number[256];
    int64_t count, at;
    bool reading;
} saved;

static int visit(void *context, const char *name, double *value, int64_t count) {
    saved *s = context;
    (void)name;
    for (int64_t i = 0; i < count; i++, s->at++)
        if (s->reading)
            value[i] = s->number[s->at];
        else
            s->number[s->at] = value[i];
    return 0;
}

/* The value over batches of a given size, saved and restored after each if `save`. `perfect`: the
 * outputs are the targets. */
static double walk(const dl_metric *metric, int classes, int batch, bool save, bool perfect) {
    int channels = classes ? classes : metric->outputs ? metric->outputs : 2;
    float output[WALKED * 4], target[WALKED * 4];
    drawn = 99;
    for (int i = 0; i < WALKED * channels; i++) {
        target[i] = (float)draw() / 8;
        output[i] = perfect && !classes ? target[i] : (float)draw() / 8;
    }
    for (int i = 0; i < WALKED && classes; i++) {
        target[i] = (float)(draw() % classes);
        if (perfect)
            output[i * channels + (int)target[i]] = 30;
    }
    dl_accumulator a;
    dl_accumulator_open(&a, &metric, 1, classes, channels, true);
    for (int first = 0; first < WALKED; first += batch) {
        int rows = WALKED - first < batch ? WALKED - first : batch;
        dl_outcome o = {rows,
                        channels,
                        output + first * channels,
                        target + (classes ? first : first * channels),
                        classes,
                        0,
                        DL_SOFTMAX,
                        NULL};
        dl_accumulator_add(&a, &o, &o);
        if (save && dl_metric_in_training(metric)) {
            saved s = {{0}, 0, 0, false};
            assert_int_equal(dl_accumulator_fields(&a, visit, &s), 0);
            dl_accumulator_close(&a);
            dl_accumulator_open(&a, &metric, 1, classes, channels, true);
            s.at = 0;
            s.reading = true;
            assert_int_equal(dl_accumulator_fields(&a, visit, &s), 0);
        }
    }
    double value = dl_accumulator_value(&a, 0);
    dl_accumulator_close(&a);
    return value;
}

static void test_every_metric(void **state) {
    (void)state;
    for (int m = 0; m < dl_metric_count; m++)
        for (int classes = 0; classes < 5; classes++) {
            const dl_metric *metric = dl_metrics[m];
            if (classes == 1 || !(classes ? metric->for_classes : metric->for_numbers))
                continue;
            assert_ptr_equal(dl_metric_find(metric->name), metric);
            assert_true(strlen(metric->help) > 10);
            double whole = walk(metric, classes, WALKED, false, false);
            double perfect = walk(metric, classes, WALKED, false, true);
            if (!isfinite(whole) || !isfinite(perfect) ||
                (metric->percent && (whole < 0 || whole > 1)))
                fail_msg("%s of %d classes: %g, %g", metric->name, classes, whole, perfect);
            assert_true(metric->k >= classes ||
                        (metric->higher_is_better ? perfect > whole : perfect < whole));
            static const int sizes[] = {1, 7, 32};
            for (int i = 0; i < 3; i++)
                for (int save = 0; save < 2; save++)
                    if (fabs(walk(metric, classes, sizes[i], save, false) - whole) > 1e-9)
                        fail_msg("%s of %d classes, batches of %d", metric->name, classes,
                                 sizes[i]);
        }
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
        cmocka_unit_test(test_several_outputs),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_absent_classes),
        cmocka_unit_test(test_masks_and_boxes),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_expected_value),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_every_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
