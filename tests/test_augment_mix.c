/* SPDX-License-Identifier: MIT */
/* Augmentations that erase and that mix: sizes of boxes, and shares. */
#include <math.h>
#include <stdio.h>

#include "augment_harness.h"

/* What is erased is a rectangle. Returns its height and width. */
static void erased(const one *o, uint32_t row, int side, bool black, int size[2]) {
    float x[64 * 64];
    dl_picture p = {side, side, 1, x, NULL, 1, false};
    dl_draw draw = DRAW;
    draw.step = row;
    for (int i = 0; i < side * side; i++)
        x[i] = 7;
    o->type->paint(o->self, &draw, &p);
    int top = side, left = side, bottom = -1, right = -1, count = 0;
    for (int i = 0; i < side * side; i++)
        if (x[i] != 7) {
            assert_true(black ? x[i] == 0 : x[i] >= 0 && x[i] < 1);
            top = i / side < top ? i / side : top;
            bottom = i / side;
            left = i % side < left ? i % side : left;
            right = i % side > right ? i % side : right;
            count++;
        }
    size[0] = bottom - top + 1;
    size[1] = right - left + 1;
    assert_int_equal(count, size[0] * size[1]);
}

static void test_erase(void **state) {
    (void)state;
    int size[2], whole = 0;
    one o = open_one("cutout", "size = 5;");
    for (uint32_t row = 0; row < 100; row++) {
        erased(&o, row, 16, true, size);
        assert_in_range(size[0], 3, 5);
        assert_in_range(size[1], 3, 5);
        whole += size[0] == 5 && size[1] == 5;
    }
    assert_in_range(whole, 30, 90);
    close_one(&o);
    o = open_one("random_erase", "least = 0.1; most = 0.2; aspect = 2.0;");
    for (uint32_t row = 0; row < 100; row++) {
        erased(&o, row, 64, false, size);
        assert_in_range(size[0] * size[1], 380, 850);
        assert_true(size[0] <= 2.1 * size[1] && size[1] <= 2.1 * size[0]);
    }
    close_one(&o);
}

/* ---- the shares of those that mix ---- */

static void test_shares(void **state) {
    (void)state;
    static const double alphas[] = {0.2, 1, 5};
    enum { MANY = 4000 };
    for (int k = 0; k < 3; k++) {
        char text[32];
        snprintf(text, sizeof text, "alpha = %.1f;", alphas[k]);
        one o = open_one("mixup", text);
        double mean = 0, square = 0, wanted = 1 / (4 * (2 * alphas[k] + 1));
        for (uint32_t row = 0; row < MANY; row++) {
            dl_draw draw = DRAW;
            dl_box box = {{0, 0}, {0, 0}};
            draw.step = row;
            double share = o.type->mix(o.self, &draw, 8, 8, &box);
            assert_true(share >= 0 && share <= 1);
            mean += share / MANY;
            square += share * share / MANY;
        }
        assert_true(fabs(mean - 0.5) < 0.03);
        assert_true(fabs(square - mean * mean - wanted) < 0.1 * wanted);
        close_one(&o);
    }
}

static void test_boxes(void **state) {
    (void)state;
    one o = open_one("cutmix", "");
    double mean = 0;
    for (uint32_t row = 0; row < 1000; row++) {
        dl_draw draw = DRAW;
        dl_box box = {{0, 0}, {0, 0}};
        draw.step = row;
        double share = o.type->mix(o.self, &draw, 10, 20, &box);
        int area = (box.last[0] - box.first[0]) * (box.last[1] - box.first[1]);
        assert_true(box.first[0] >= 0 && box.last[0] <= 10 && box.last[1] <= 20);
        assert_true(box.first[1] >= 0 && area >= 0 && fabs(share - (1 - area / 200.0)) < 1e-9);
        mean += share / 1000;
    }
    assert_true(mean > 0.55 && mean < 0.8); /* a half, and what boxes lose at the edges */
    close_one(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_erase),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_boxes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
