/* SPDX-License-Identifier: MIT */
/* What a report shows as pictures: the grids of tiles, and the mistakes that a net is surest of. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "image/grid.h"
#include "image/image.h"
#include "inspect/mistakes.h"
#include "model/filters.h"

/* The color at the center of a pixel of a tile; tiles are side by side, 4 apart. */
static void assert_pixel(const dl_grid *g, int tile, int side, int row, int column, int red,
                         int green, int blue) {
    int factor = 48 / side, y = 4 + row * factor + factor / 2;
    int x = 4 + tile * (side * factor + 4) + column * factor + factor / 2;
    const unsigned char *p = g->pixels + ((int64_t)y * g->width + x) * 3;
    assert_int_equal(p[0], red);
    assert_int_equal(p[1], green);
    assert_int_equal(p[2], blue);
}

static bool open_grid(harness *h, const char *layer, dl_shape input, const float *weight,
                      dl_grid *grid) {
    const dl_layer *first;
    if (!harness_open(h, layer, input, 1, true, 1))
        fail_msg("%s", dl_text_get(&h->error.text));
    dl_param *param = &h->net.params[0];
    if (weight)
        memcpy(param->value, weight, sizeof *weight * (size_t)param->count);
    return dl_grid_filters(&h->net, grid, &first);
}

static void test_filters(void **state) {
    (void)state;
    harness h;
    dl_grid grid;
    /* [2][2][1][2]: 1 0 / -1 0.5, and 0 0 / 0 2 */
    const float gray[] = {1, 0, 0, 0, -1, 0, 0.5f, 2};
    assert_true(open_grid(&h, "{ layer = \"conv2d\"; filters = 2; kernel = 2; }",
                          dl_shape3(3, 3, 1), gray, &grid));
    assert_int_equal(grid.width, 108);
    assert_int_equal(grid.height, 56);
    assert_pixel(&grid, 0, 2, 0, 0, 255, 255, 255);
    assert_pixel(&grid, 0, 2, 0, 1, 128, 128, 128);
    assert_pixel(&grid, 0, 2, 1, 0, 0, 0, 0);
    assert_pixel(&grid, 0, 2, 1, 1, 191, 191, 191);
    assert_pixel(&grid, 1, 2, 0, 0, 128, 128, 128);
    assert_pixel(&grid, 1, 2, 1, 1, 255, 255, 255);
    dl_grid_free(&grid);
    harness_close(&h);
    /* [2][2][3][2] */
    const float color[24] = {1, 0, 0, 1, -1, 0, [20] = 0.5f, [21] = -1};
    assert_true(open_grid(&h, "{ layer = \"conv2d\"; filters = 2; kernel = 2; }",
                          dl_shape3(3, 3, 3), color, &grid));
    assert_pixel(&grid, 0, 2, 0, 0, 255, 128, 0);
    assert_pixel(&grid, 1, 2, 0, 0, 128, 255, 128);
    assert_pixel(&grid, 0, 2, 1, 1, 128, 191, 128);
    assert_pixel(&grid, 1, 2, 1, 1, 128, 0, 128);
    dl_grid_free(&grid);
    harness_close(&h);
}

static void test_dense(void **state) {
    (void)state;
    harness h;
    dl_grid grid;
    const float weight[] = {1, 0, -1, 1, 0.5f, -2}; /* [3][2], padded to [4][2] below */
    float whole[8] = {0};
    memcpy(whole, weight, sizeof weight);
    assert_true(open_grid(&h, "{ layer = \"dropout\"; }, { layer = \"dense\"; units = 2; }",
                          dl_shape3(2, 2, 1), whole, &grid));
    assert_pixel(&grid, 0, 2, 0, 0, 255, 255, 255);
    assert_pixel(&grid, 0, 2, 0, 1, 0, 0, 0);
    assert_pixel(&grid, 0, 2, 1, 1, 128, 128, 128);
    assert_pixel(&grid, 1, 2, 0, 1, 191, 191, 191);
    assert_pixel(&grid, 1, 2, 1, 0, 0, 0, 0);
    dl_grid_free(&grid);
    harness_close(&h);
    static const char *const none[] = {
        "{ layer = \"flatten\"; }",
        "{ layer = \"batch_norm\"; }, { layer = \"dense\"; units = 2; }",
        "{ layer = \"conv2d\"; filters = 2; kernel = 1; }"};
    for (int i = 0; i < 3; i++) {
        assert_false(open_grid(&h, none[i], dl_shape3(2, 2, 1), NULL, &grid));
        harness_close(&h);
    }
    assert_false(open_grid(&h, "{ layer = \"dense\"; units = 2; }", dl_shape1(4), NULL, &grid));
    harness_close(&h);
}

static void test_images(void **state) {
    (void)state;
    const float x[] = {0, 255, 51, 0, 10, 20, 30, 30};
    dl_grid grid = dl_grid_images(x, 2, dl_shape3(2, 2, 1), true);
    assert_pixel(&grid, 0, 2, 0, 1, 255, 255, 255);
    assert_pixel(&grid, 0, 2, 1, 0, 51, 51, 51);
    assert_pixel(&grid, 1, 2, 0, 1, 20, 20, 20);
    dl_grid_free(&grid);
    grid =
        dl_grid_images(x, 2, dl_shape3(2, 2, 1), false); /* each from its minimum to its maximum */
    assert_pixel(&grid, 1, 2, 0, 0, 0, 0, 0);
    assert_pixel(&grid, 1, 2, 0, 1, 128, 128, 128);
    assert_pixel(&grid, 1, 2, 1, 1, 255, 255, 255);
    dl_grid_free(&grid);
}

static void test_mistakes(void **state) {
    (void)state;
    int64_t index[104];
    for (int i = 0; i < 104; i++)
        index[i] = 1000 + 2 * i;
    dl_subset part = {.index = index, .count = 104};
    dl_mistakes m = {0};
    dl_mistakes_observer observer = {.mistakes = &m, .part = &part, .net = 0};
    /* rows 0 to 3: right; sure of 1 by e^2 to 1; right; sure of 0 by e^3 to 1 */
    const float output[] = {5, 0, 0, 2, 0, 9, 3, 0}, target[] = {0, 0, 1, 1};
    dl_outcome outcome = {4, 2, output, target, 2, 0, DL_SOFTMAX, NULL};
    dl_mistakes_collect(&observer, &outcome);
    assert_int_equal(m.count, 4);
    assert_int_equal(dl_mistakes_sort(&m), 2);
    assert_int_equal(m.row[0].row, 1006);
    assert_int_equal(m.row[0].truth, 1);
    assert_int_equal(m.row[0].predicted, 0);
    assert_float_equal(m.row[0].confidence, 1 / (1 + exp(-3)), 1e-6);
    assert_float_equal(m.row[0].loss, log(1 + exp(3)), 1e-5);
    assert_int_equal(m.row[1].row, 1002);
    assert_float_equal(m.row[1].confidence, 1 / (1 + exp(-2)), 1e-6);
    assert_int_equal(m.row[2].row, 1000); /* hits: the least confident first */
    /* then logits of 1/50 to 100/50, mixed */
    for (int i = 0; i < 100; i++) {
        float one[] = {0, (float)(1 + (i * 37) % 100) / 50}, zero = 0;
        dl_mistakes_collect(&observer, &(dl_outcome){1, 2, one, &zero, 2, 0, DL_SOFTMAX, NULL});
    }
    assert_int_equal(m.count, 104);
    assert_int_equal(dl_mistakes_sort(&m), 102);
    assert_int_equal(m.row[0].row, 1006);
    for (int i = 1; i < 102; i++)
        assert_true(m.row[i].confidence <= m.row[i - 1].confidence);
    assert_float_equal(m.row[23].confidence, 1 / (1 + exp(-79 / 50.0)), 1e-6);
    dl_mistakes_observer_close(&observer);
    dl_mistakes_free(&m);
}

/* 40000 x 40000 pixels: the number of bytes exceeds an int, and less than that is left of it. */
static void test_too_large(void **state) {
    (void)state;
    dl_error error = {0};
    const unsigned char pixel[3] = {0};
    assert_int_equal(dl_image_save("never.png", pixel, 40000, 40000, &error), -1);
    assert_non_null(strstr(dl_text_get(&error.text), "40000x40000"));
    dl_error_clear(&error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),  cmocka_unit_test(test_dense),
        cmocka_unit_test(test_images),   cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
