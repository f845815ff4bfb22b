/* SPDX-License-Identifier: MIT */
/* What a report shows as pictures: the grids of tiles, and the mistakes that a net is surest of. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "image/grid.h"
#include "inspect/confident_errors.h"
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
    dl_confident_errors m = {0};
    /* rows 0 to 3: right; sure of 1 by e^2 to 1; right; sure of 0 by e^3 to 1 */
    const float output[] = {5, 0, 0, 2, 0, 9, 3, 0}, target[] = {0, 0, 1, 1};
    dl_outcome outcome = {4, 2, output, target, 2, 0, DL_SOFTMAX, NULL};
    dl_confident_errors_add(&m, &outcome);
    assert_int_equal(m.count, 2);
    assert_int_equal(m.list[0].row, 3);
    assert_int_equal(m.list[0].truth, 1);
    assert_int_equal(m.list[0].predicted, 0);
    assert_float_equal(m.list[0].confidence, 1 / (1 + exp(-3)), 1e-6);
    assert_int_equal(m.list[1].row, 1);
    assert_float_equal(m.list[1].confidence, 1 / (1 + exp(-2)), 1e-6);
    /* then logits of 1/50 to 100/50, mixed: the 24 surest stay, which are these two and 22 more */
    for (int i = 0; i < 100; i++) {
        float one[] = {0, (float)(1 + (i * 37) % 100) / 50}, zero = 0;
        dl_confident_errors_add(&m, &(dl_outcome){1, 2, one, &zero, 2, 0, DL_SOFTMAX, NULL});
    }
    assert_int_equal(m.count, DL_CONFIDENT_ERRORS);
    assert_int_equal(m.rows, 104);
    assert_int_equal(m.list[0].row, 3);
    for (int i = 1; i < m.count; i++)
        assert_true(m.list[i].confidence <= m.list[i - 1].confidence);
    assert_float_equal(m.list[m.count - 1].confidence, 1 / (1 + exp(-79 / 50.0)), 1e-6);
    dl_confident_errors_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
