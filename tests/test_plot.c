/* SPDX-License-Identifier: MIT */
/* Curves drawn with characters, and the histories that they are drawn from. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/plot.h"
#include "harness.h"
#include "run/history.h"

/* A falling line in letters: from the upper left to the lower right, its end labelled. */
static void letters(void **state) {
    (void)state;
    const double value[] = {4, 3, 2, 1, 0};
    const dl_curve curve = {"loss", value, false};
    dl_text text = dl_plot(&curve, 1, 5, 37, 5, false);
    assert_string_equal(text.data, "        4 |l\n"
                                   "          | l\n"
                                   "          |  l\n"
                                   "          |   l\n"
                                   "        0 |    l loss 0\n"
                                   "          +----- 5\n");
    dl_text_free(&text);
}

/* In dots, from (0, 0) to (9, 3) in five characters: (0,0) (1,0) (2,1) (3,1) (4,1) (5,2) (6,2)
   (7,2) (8,3) (9,3). Of every four columns the second half is a gap where it is dashed. */
static void dots(void **state) {
    (void)state;
    const double value[] = {3, 2, 1, 0};
    const dl_curve whole = {"loss", value, false}, dashed = {"loss", value, true};
    dl_text text = dl_plot(&whole, 1, 4, 37, 1, true);
    assert_non_null(strstr(text.data, "\u2502\u2809\u2812\u2822\u2824\u28c0 loss 0\n"));
    dl_text_free(&text);
    text = dl_plot(&dashed, 1, 4, 37, 1, true);
    assert_non_null(strstr(text.data, "\u2502\u2809 \u2822 \u28c0 loss 0\n"));
    dl_text_free(&text);
}

/* Gaps, one value alone, and axes. */
static void ranges(void **state) {
    (void)state;
    const double gap[] = {1, NAN, 100, INFINITY}, nothing[] = {NAN, 7, NAN, NAN},
                 flat[] = {2, 2, 2, 2}, negative[] = {-1, 100, 1, 1};
    dl_curve curves[] = {{"a", gap, false}, {"b", nothing, false}};
    dl_text text = dl_plot(curves, 2, 4, 60, 5, false);
    assert_non_null(strstr(text.data, "(log)"));
    assert_non_null(strstr(text.data, "  100 |"));
    assert_non_null(strstr(text.data, "    1 |a"));
    dl_text_free(&text);
    curves[0].value = flat;
    text = dl_plot(curves, 1, 4, 60, 5, false);
    assert_non_null(strstr(text.data, "|aaaaaaaa"));
    assert_null(strstr(text.data, "(log)"));
    dl_text_free(&text);
    curves[0].value = negative;
    text = dl_plot(curves, 1, 4, 60, 5, false);
    assert_null(strstr(text.data, "(log)"));
    dl_text_free(&text);
    text = dl_plot(curves + 1, 1, 4, 60, 5, false);
    assert_int_equal(text.length, 0);
    text = dl_plot(curves, 1, 4, 20, 5, false); /* too narrow */
    assert_int_equal(text.length, 0);
}

/* No line is wider than it may be. */
static void widths(void **state) {
    (void)state;
    double value[200];
    for (int i = 0; i < 200; i++)
        value[i] = -1.2345e-100 * (i + 1);
    const dl_curve curves[] = {{"a very long name of a curve", value, true}, {"b", value, false}};
    for (int width = 40; width < 120; width += 7) {
        dl_text text = dl_plot(curves, 2, 200, width, 7, true);
        for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n"))
            assert_true(dl_text_width(line, (int)strlen(line)) <= width + 2);
        dl_text_free(&text);
    }
}

static int read_text(dl_history *history, const char *text, dl_error *error) {
    char path[] = "/tmp/dl_history_XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    int result = dl_history_read(history, path, error);
    unlink(path);
    return result;
}

static void histories(void **state) {
    (void)state;
    dl_error error = {0};
    dl_history h = {0};
    assert_int_equal(read_text(&h, "epoch,train_loss\n1,0.5\n2,nan\n3,0.2", &error), 0);
    assert_int_equal(h.rows, 2); /* the third is cut off */
    assert_int_equal(h.columns, 2);
    const double *loss = dl_history_column(&h, "train_loss");
    assert_non_null(loss);
    assert_true(loss[0] == 0.5 && isnan(loss[1]));
    assert_null(dl_history_column(&h, "val_loss"));
    dl_history_free(&h);
    static const char *const wrong[] = {
        "", "a,b\n1,2\n", "epoch,x\n1\n", "epoch,x\n1,2,3\n", "epoch,x\n1,two\n", "epoch,x\n\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(read_text(&h, wrong[i], &error), -1);
        assert_int_equal(error.code, DL_DATA);
        dl_history_free(&h);
        dl_error_clear(&error);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters), cmocka_unit_test(dots),      cmocka_unit_test(ranges),
        cmocka_unit_test(widths),  cmocka_unit_test(histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
