/* SPDX-License-Identifier: MIT */
/* Augmentation: pixels against what is worked out by hand, targets that go along, and that a row is
   a pure function of seed, epoch and row. */
#include "augment_harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/warp.h"

static void near(float found, double wanted) {
    if (!(fabs((double)found - wanted) < 1e-4))
        fail_msg("%g, not %g", (double)found, wanted);
}

enum { H = 3, W = 4, PIXELS = H * W };

/* x[H][W] -> y after one that moves, with draw number `row`. */
static void moved(const one *o, uint32_t row, dl_border border, const float *x, float *y) {
    float field[2 * PIXELS] = {0}, scratch[3 * PIXELS];
    dl_transform place = {H, W, {1, 0, 0, 0, 1, 0}, field, scratch, false};
    dl_draw draw = DRAW;
    draw.step = row;
    o->type->move(o->self, &draw, &place);
    dl_warp warp = {.height = H, .width = W, .field = place.bent ? field : NULL, .border = border};
    memcpy(warp.map, place.map, sizeof warp.map);
    dl_warp_bilinear(&warp, 1, x, y);
}

static const float image[PIXELS] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static void test_flips(void **state) {
    (void)state;
    static const float mirrored[] = {4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9};
    static const float stood[] = {9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4};
    float y[PIXELS];
    one o = open_one("flip_horizontal", "");
    moved(&o, 0, DL_BORDER_ZERO, image, y);
    assert_memory_equal(y, mirrored, sizeof y);
    close_one(&o);
    o = open_one("flip_vertical", "");
    moved(&o, 0, DL_BORDER_ZERO, image, y);
    assert_memory_equal(y, stood, sizeof y);
    close_one(&o);
}

/* What a plane a + b column + c row has at a place, kept inside the edges. */
static double plane(double column, double row) {
    return 1 + fmin(fmax(column, 0), W - 1) + 4 * fmin(fmax(row, 0), H - 1);
}

static void test_shift(void **state) {
    (void)state;
    float y[PIXELS];
    one o = open_one("shift", "horizontal = 0.5; vertical = 0.25;");
    for (uint32_t row = 0; row < 20; row++) {
        dl_draw draw = DRAW;
        draw.step = row;
        double right = dl_augment_uniform(&draw, 0, -2, 2);
        double down = dl_augment_uniform(&draw, 1, -0.75, 0.75);
        moved(&o, row, DL_BORDER_EDGE, image, y);
        for (int i = 0; i < PIXELS; i++)
            near(y[i], plane(i % W - right, i / W - down));
    }
    close_one(&o);
}

static void test_zoom(void **state) {
    (void)state;
    float y[PIXELS];
    one o = open_one("zoom", "least = 2.0; most = 2.0;");
    moved(&o, 0, DL_BORDER_ZERO, image, y);
    static const double columns[W] = {0.75, 1.25, 1.75, 2.25}, rows[H] = {0.5, 1, 1.5};
    for (int i = 0; i < PIXELS; i++)
        near(y[i], plane(columns[i % W], rows[i / W]));
    close_one(&o);
}

static void test_shear(void **state) {
    (void)state;
    float y[PIXELS];
    one o = open_one("shear", "degrees = 45.0;");
    for (uint32_t row = 0; row < 20; row++) {
        dl_draw draw = DRAW;
        draw.step = row;
        double a = dl_augment_uniform(&draw, 0, -45, 45) * 3.14159265358979323846 / 180;
        moved(&o, row, DL_BORDER_EDGE, image, y);
        for (int i = 0; i < PIXELS; i++)
            near(y[i], plane(i % W + tan(a) * (i / W - 1), i / W));
    }
    close_one(&o);
}

/* The map of a quarter to the left: what was on the right is on top. */
static void test_quarter(void **state) {
    (void)state;
    static const float x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, wanted[9] = {3, 6, 9, 2, 5, 8, 1, 4, 7};
    float y[9];
    dl_warp warp = {.height = 3, .width = 3, .map = {0, -1, 0, 1, 0, 0}};
    dl_warp_bilinear(&warp, 1, x, y);
    assert_memory_equal(y, wanted, sizeof y);
    dl_warp_nearest(&warp, 1, x, y);
    assert_memory_equal(y, wanted, sizeof y);
}

static void test_rotate(void **state) {
    (void)state;
    float y[PIXELS];
    one o = open_one("rotate", "degrees = 90.0;");
    int left = 0;
    for (uint32_t row = 0; row < 40; row++) {
        dl_draw draw = DRAW;
        draw.step = row;
        double a = dl_augment_uniform(&draw, 0, -90, 90) * 3.14159265358979323846 / 180;
        left += a > 0;
        moved(&o, row, DL_BORDER_EDGE, image, y);
        for (int i = 0; i < PIXELS; i++) {
            double u = i % W - 1.5, v = i / W - 1;
            near(y[i], plane(1.5 + u * cos(a) - v * sin(a), 1 + u * sin(a) + v * cos(a)));
        }
    }
    assert_in_range(left, 10, 30);
    close_one(&o);
}

static void test_random_crop(void **state) {
    (void)state;
    float y[PIXELS];
    int seen[3][3] = {{0}};
    one o = open_one("random_crop", "padding = 1;");
    for (uint32_t row = 0; row < 200; row++) {
        int matches = 0;
        moved(&o, row, DL_BORDER_ZERO, image, y);
        for (int down = -1; down <= 1; down++)
            for (int right = -1; right <= 1; right++) {
                bool same = true;
                for (int i = 0; i < PIXELS; i++) {
                    int r = i / W + down, c = i % W + right;
                    float wanted = r < 0 || c < 0 || r >= H || c >= W ? 0 : image[r * W + c];
                    same &= y[i] == wanted;
                }
                seen[down + 1][right + 1] += same;
                matches += same;
            }
        assert_int_equal(matches, 1);
    }
    for (int k = 0; k < 9; k++)
        assert_in_range(seen[k / 3][k % 3], 8, 40);
    close_one(&o);
}

static void test_borders(void **state) {
    (void)state;
    static const float x[4] = {1, 2, 3, 4};
    static const float wanted[3][2][4] = {{{0, 0, 0, 0.5f}, {3.5f, 2, 0, 0}},
                                          {{1, 1, 1, 1}, {3.5f, 4, 4, 4}},
                                          {{3.5f, 3.5f, 2.5f, 1.5f}, {3.5f, 3.5f, 2.5f, 1.5f}}};
    float y[4];
    for (int b = 0; b < 3; b++)
        for (int k = 0; k < 2; k++) {
            dl_warp warp = {.height = 1,
                            .width = 4,
                            .map = {1, 0, k ? 2.5 : -3.5, 0, 1, 0},
                            .border = (dl_border)b};
            dl_warp_bilinear(&warp, 1, x, y);
            for (int i = 0; i < 4; i++)
                near(y[i], (double)wanted[b][k][i]);
        }
}

/* A field moves each pixel by its own amount; a blur of one point is a hill of volume 1. */
static void test_field(void **state) {
    (void)state;
    float y[PIXELS], field[2 * PIXELS] = {0}, x[49] = {0}, scratch[49];
    field[5] = -1;
    field[PIXELS + 5] = 0.5f;
    dl_warp warp = {.height = H, .width = W, .map = {1, 0, 0, 0, 1, 0}, .field = field};
    dl_warp_bilinear(&warp, 1, image, y);
    for (int i = 0; i < PIXELS; i++)
        near(y[i], i == 5 ? plane(0, 1.5) : (double)image[i]);
    x[24] = 1;
    dl_blur(x, 7, 7, 1, scratch);
    double sum = 0, edge = exp(-0.5), all = 1 + 2 * (edge + exp(-2) + exp(-4.5));
    for (int i = 0; i < 49; i++)
        sum += (double)x[i];
    near((float)sum, 1);
    near(x[24], 1 / (all * all));
    near(x[23], edge / (all * all));
    near(x[17], edge / (all * all));
    near(x[16], edge * edge / (all * all));
}

static void test_elastic(void **state) {
    (void)state;
    enum { SIDE = 40, SIZE = SIDE * SIDE };
    static float field[2 * SIZE], scratch[3 * SIZE];
    one o = open_one("elastic", "alpha = 34.0; sigma = 4.0;");
    dl_transform place = {SIDE, SIDE, {1, 0, 0, 0, 1, 0}, field, scratch, false};
    double square = 0;
    for (uint32_t row = 0; row < 20; row++) {
        dl_draw draw = DRAW;
        draw.step = row;
        place.bent = false; /* what is in the field counts as nothing */
        o.type->move(o.self, &draw, &place);
        assert_true(place.bent);
        for (int i = 0; i < 2 * SIZE; i++) {
            square += (double)field[i] * (double)field[i] / (40.0 * SIZE);
            if (i % SIDE)
                assert_true(fabsf(field[i] - field[i - 1]) < 2); /* smooth */
        }
    }
    assert_true(sqrt(square) > 1 && sqrt(square) < 1.6); /* 34 * 0.0407, less at the edges */
    close_one(&o);
}

/* ---- those that paint ---- */

enum { COLOURS = 12 }; /* two rows of two pixels */
static const float colours[COLOURS] = {200, 100, 0, 10, 20, 30, 255, 0, 128, 90, 90, 90};

static void painted(const one *o, bool bytes, float *x) {
    float scratch[COLOURS];
    dl_picture p = {2, 2, 3, x, scratch, bytes ? 255 : 1, bytes};
    memcpy(x, colours, sizeof colours);
    o->type->paint(o->self, &DRAW, &p);
}

static double bytes_of(double value, bool bytes) {
    return bytes ? fmin(fmax(value, 0), 255) : value;
}

static void test_factors(void **state) {
    (void)state;
    static const char *const names[] = {"brightness", "contrast", "saturation"};
    double greys[4], mean = 0, f = dl_augment_uniform(&DRAW, 0, 0.2, 1.8);
    assert_true(fabs(f - 1) > 0.1);
    for (int i = 0; i < 4; i++) {
        greys[i] = 0.299 * (double)colours[3 * i] + 0.587 * (double)colours[3 * i + 1] +
                   0.114 * (double)colours[3 * i + 2];
        mean += greys[i] / 4;
    }
    for (int k = 0; k < 6; k++) {
        float x[COLOURS];
        one o = open_one(names[k / 2], "by = 0.8;");
        painted(&o, k % 2, x);
        for (int i = 0; i < COLOURS; i++) {
            double from = k < 2 ? 0 : k < 4 ? mean : greys[i / 3];
            near(x[i], bytes_of(from + f * ((double)colours[i] - from), k % 2));
        }
        close_one(&o);
    }
}

static void test_hue(void **state) {
    (void)state;
    one o = open_one("hue", "degrees = 180.0;");
    float x[COLOURS];
    painted(&o, false, x);
    double a = dl_augment_uniform(&DRAW, 0, -180, 180) * 3.14159265358979323846 / 180;
    for (int i = 0; i < 4; i++) { /* the sum and the distance from the greys stay; so does grey */
        const float *p = colours + 3 * i, *q = x + 3 * i;
        double mean = ((double)p[0] + (double)p[1] + (double)p[2]) / 3, cosine = 0, square = 0;
        near((q[0] + q[1] + q[2]) / 3, mean);
        for (int c = 0; c < 3; c++) {
            cosine += ((double)p[c] - mean) * ((double)q[c] - mean);
            square += ((double)p[c] - mean) * ((double)p[c] - mean);
        }
        assert_true(fabs(cosine - cos(a) * square) < 1e-2);
    }
    close_one(&o);
}

static void test_noise(void **state) {
    (void)state;
    one o = open_one("noise", "stddev = 0.1;");
    float x[COLOURS], drawn[COLOURS];
    dl_random_normal(&DRAW, DL_AUGMENT_BULK, COLOURS, drawn);
    for (int bytes = 0; bytes < 2; bytes++) {
        painted(&o, bytes, x);
        for (int i = 0; i < COLOURS; i++)
            near(x[i],
                 bytes_of((double)colours[i] + (bytes ? 25.5 : 0.1) * (double)drawn[i], bytes));
    }
    close_one(&o);
}

/* The numbers are torch's: conv2d with a Gaussian kernel of 7 x 7 after padding by reflection. */
static void test_gaussian_blur(void **state) {
    (void)state;
    enum { ROWS = 9, COLUMNS = 8, CHANNELS = 3 };
    float x[ROWS][COLUMNS][CHANNELS], scratch[ROWS * COLUMNS * CHANNELS];
    for (int r = 0; r < ROWS; r++)
        for (int s = 0; s < COLUMNS; s++)
            for (int c = 0; c < CHANNELS; c++)
                x[r][s][c] = (float)((r * 57 + s * 23 + c * 91) % 101);
    one o = open_one("gaussian_blur", "least = 1.0; most = 1.0;");
    dl_picture p = {ROWS, COLUMNS, CHANNELS, &x[0][0][0], scratch, 255, true};
    o.type->paint(o.self, &DRAW, &p);
    near(x[0][0][0], 40.511899);
    near(x[0][7][1], 43.489588);
    near(x[4][3][2], 54.750343);
    near(x[8][0][1], 49.040608);
    near(x[8][7][2], 51.921576);
    near(x[1][6][0], 53.706073);
    close_one(&o);
}

/* ---- every one of the registry ---- */

enum { WALKED = 8 * 8 * 3, GUARD = 64 };

/* The image that draw number `step` makes of one pattern; checks that nothing else is written. */
static void transformed(const one *o, uint32_t step, bool bytes, float *out) {
    static const float guard = -12345;
    float x[WALKED + GUARD], scratch[WALKED + GUARD], field[2 * 64 + GUARD], place_scratch[3 * 64];
    for (int i = 0; i < WALKED + GUARD; i++) {
        x[i] = i < WALKED ? (float)(i * 37 % 256) / (bytes ? 1 : 255) : guard;
        scratch[i] = guard;
    }
    for (int i = 0; i < 2 * 64 + GUARD; i++)
        field[i] = i < 2 * 64 ? 0 : guard;
    dl_draw draw = DRAW;
    draw.step = step;
    dl_picture picture = {8, 8, 3, x, scratch, bytes ? 255 : 1, bytes};
    dl_transform place = {8, 8, {1, 0, 0, 0, 1, 0}, field, place_scratch, false};
    dl_box box = {{0, 0}, {0, 0}};
    if (o->type->paint)
        o->type->paint(o->self, &draw, &picture);
    if (o->type->move)
        o->type->move(o->self, &draw, &place);
    double share = o->type->mix ? o->type->mix(o->self, &draw, 8, 8, &box) : 1;
    assert_true(share >= 0 && share <= 1);
    for (int i = 0; i < GUARD; i++)
        assert_true(x[WALKED + i] == guard && scratch[WALKED + i] == guard &&
                    field[2 * 64 + i] == guard);
    dl_warp warp = {.height = 8, .width = 8, .field = place.bent ? field : NULL};
    memcpy(warp.map, place.map, sizeof warp.map);
    if (o->type->move)
        dl_warp_bilinear(&warp, 3, x, out);
    else
        memcpy(out, x, sizeof *out * WALKED);
    for (int i = 0; i < WALKED; i++)
        assert_true(isfinite(out[i]) && (!bytes || (out[i] >= 0 && out[i] <= 255)));
    for (int axis = 0; axis < 2; axis++)
        assert_true(box.first[axis] >= 0 && box.last[axis] <= 8);
    out[WALKED] = (float)share;
    out[WALKED + 1] = (float)box.first[0];
    out[WALKED + 2] = (float)box.first[1];
}

/* The same draw gives the same, others something else; numbers of bytes stay bytes. */
static void test_every_augmentation(void **state) {
    (void)state;
    enum { DRAWS = 32, NUMBERS = WALKED + 3 };
    for (int k = 0; k < dl_augmentation_registry.count; k++) {
        one o = open_one(dl_augmentation_registry.kinds[k]->name, "");
        assert_true(!!o.type->move + !!o.type->paint + !!o.type->mix == 1);
        for (int bytes = 0; bytes < 2; bytes++) {
            float first[NUMBERS], again[NUMBERS], plain[NUMBERS];
            bool changes = false;
            for (int i = 0; i < WALKED; i++)
                plain[i] = (float)(i * 37 % 256) / (bytes ? 1 : 255);
            plain[WALKED] = 1;
            plain[WALKED + 1] = plain[WALKED + 2] = 0;
            for (uint32_t step = 0; step < DRAWS; step++) {
                transformed(&o, step, bytes, first);
                transformed(&o, step, bytes, again);
                assert_memory_equal(first, again, sizeof first);
                changes |= memcmp(first, plain, sizeof first) != 0;
            }
            if (!changes)
                fail_msg("%s changes nothing", o.type->kind.name);
        }
        close_one(&o);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_shift),
        cmocka_unit_test(test_zoom),
        cmocka_unit_test(test_shear),
        cmocka_unit_test(test_quarter),
        cmocka_unit_test(test_rotate),
        cmocka_unit_test(test_borders),
        cmocka_unit_test(test_random_crop),
        cmocka_unit_test(test_field),
        cmocka_unit_test(test_elastic),
        cmocka_unit_test(test_factors),
        cmocka_unit_test(test_hue),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_gaussian_blur),
        cmocka_unit_test(test_every_augmentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
