/* SPDX-License-Identifier: MIT */
/* Convolution against the sums that define it, by each of the ways in which it is done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "math/backend.h"
#include "math/conv.h"
#include "math/direct.h"
#include "math/onednn.h"
#include "math/threads.h"

enum { BATCH = 3 };

typedef struct {
    dl_conv conv;
    int64_t in, out, weights;
    float *x, *weight, *bias, *y, *dy, *dx, *dweight, *dbias;
    double *want_y, *want_dx, *want_dweight, *want_dbias;
} problem;

static float *draw(int64_t count, uint16_t purpose) {
    float *values = dl_memory_aligned(sizeof *values * (size_t)count);
    dl_random_normal(&(dl_draw){1, DL_FOR_TEST, purpose, 0, 0}, 0, count, values);
    return values;
}

/* Whether tap (ky, kx) of the window at (oy, ox) is inside; its pixel. */
static bool pixel(const dl_window *w, int oy, int ox, int ky, int kx, int64_t *at) {
    int y = oy * w->stride[0] + ky * w->dilation[0] - w->before[0];
    int x = ox * w->stride[1] + kx * w->dilation[1] - w->before[1];
    *at = ((int64_t)y * w->width + x) * w->channels;
    return y >= 0 && y < w->height && x >= 0 && x < w->width;
}

static void define_point(problem *p, int n, int oy, int ox, bool backward) {
    const dl_window *w = &p->conv.window;
    int filters = p->conv.filters;
    int64_t to = n * p->out + ((int64_t)oy * w->out_width + ox) * filters, from;
    for (int f = 0; f < filters; f++) {
        double sum = p->bias[f], value = p->want_y[to + f];
        double dz = backward ? p->dy[to + f] * (1 - value * value) : 0;
        for (int ky = 0; ky < w->kernel[0]; ky++)
            for (int kx = 0; kx < w->kernel[1]; kx++) {
                if (!pixel(w, oy, ox, ky, kx, &from))
                    continue;
                const float *x = p->x + n * p->in + from;
                int64_t tap = ((int64_t)ky * w->kernel[1] + kx) * w->channels;
                for (int c = 0; c < w->channels; c++) {
                    int64_t at = (tap + c) * filters + f;
                    sum += (double)x[c] * p->weight[at];
                    p->want_dweight[at] += dz * x[c];
                    p->want_dx[n * p->in + from + c] += dz * p->weight[at];
                }
            }
        p->want_dbias[f] += dz;
        p->want_y[to + f] = backward ? value : tanh(sum);
    }
}

static void define(problem *p) {
    const dl_window *w = &p->conv.window;
    for (int backward = 0; backward < 2; backward++)
        for (int n = 0; n < BATCH; n++)
            for (int oy = 0; oy < w->out_height; oy++)
                for (int ox = 0; ox < w->out_width; ox++)
                    define_point(p, n, oy, ox, backward);
}

static void compare(const char *what, const char *tensor, const float *got, const double *want,
                    int64_t count, double times, double tolerance) {
    double largest = 1; /* of the terms, which may cancel */
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(times * want[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - times * want[i]) <= tolerance * largest))
            fail_msg("%s: %s[%lld] is %.9g, not %.9g", what, tensor, (long long)i, (double)got[i],
                     times * want[i]);
}

typedef enum { DIRECT, ONEDNN, TILES, BF16, METHODS } method;

/* Leaves the plan only the method that is asked for; false where this machine cannot, or this shape
   is no task for it. */
static bool force(dl_conv *conv, method m, int threads) {
    dl_backend_set(m == ONEDNN || m == BF16 ? DL_BACKEND_ONEDNN : DL_BACKEND_OPENBLAS);
    if ((m == ONEDNN && !dl_backend_has_onednn()) ||
        (m == BF16 &&
         (dl_backend_lacks_for_bf16() || conv->window.channels % 16 || conv->filters % 16)))
        return false;
    dl_backend_set_bf16(m == BF16);
    dl_conv_plan(conv, BATCH, threads);
    if (m == TILES) {
        dl_direct_free(conv->direct);
        conv->direct = NULL;
    }
    dl_backend_set_bf16(false);
    if (m == DIRECT)
        assert_non_null(conv->direct);
    const dl_window *w = &conv->window;
    bool unequal = w->stride[0] != w->stride[1];
    bool refused = (w->out_width == 1 && unequal) || /* oneDNN 3.7 computes other values */
                   (w->kernel[0] * w->kernel[1] == 1 && (unequal || w->stride[0] > 1)); /* 2.6 */
    assert_true(m == DIRECT || m == TILES || !conv->onednn == refused);
    return true;
}

static void check(problem *p, method m, int threads, const char *what) {
    dl_threads_set(threads);
    p->conv.activation = (dl_activation){.kind = DL_TANH};
    if (!force(&p->conv, m, threads)) {
        dl_conv_free(&p->conv);
        return;
    }
    void *scratch = dl_memory_aligned(dl_conv_scratch(&p->conv));
    const double tolerance = m == BF16 ? 2e-2 : 1e-5;
    dl_conv_forward(&p->conv, BATCH, p->x, p->weight, p->bias, p->y, scratch);
    compare(what, "y", p->y, p->want_y, BATCH * p->out, 1, tolerance);
    for (int beta = 0; beta < 2; beta++) { /* overwritten, whatever was there; then added to */
        float *dy = memcpy(xmalloc(sizeof *dy * (size_t)(BATCH * p->out)), p->dy,
                           sizeof *dy * (size_t)(BATCH * p->out));
        for (int64_t i = 0; beta == 0 && i < p->weights; i++)
            p->dweight[i] = NAN;
        for (int f = 0; beta == 0 && f < p->conv.filters; f++)
            p->dbias[f] = 0;
        for (int64_t i = 0; i < BATCH * p->in; i++)
            p->dx[i] = NAN;
        dl_conv_backward(&p->conv, BATCH, p->x, p->y, dy, p->weight, p->dx, (float)beta, p->dweight,
                         p->dbias, scratch);
        compare(what, "dx", p->dx, p->want_dx, BATCH * p->in, 1, tolerance);
        compare(what, "dweight", p->dweight, p->want_dweight, p->weights, 1 + beta, tolerance);
        compare(what, "dbias", p->dbias, p->want_dbias, p->conv.filters, 1 + beta, tolerance);
        free(dy);
    }
    /* one image, whose lines the threads share; a first layer, whose dx nobody wants */
    memset(p->y, 0, sizeof *p->y * (size_t)p->out);
    dl_conv_forward(&p->conv, 1, p->x, p->weight, p->bias, p->y, scratch);
    compare(what, "y of one", p->y, p->want_y, p->out, 1, tolerance);
    dl_conv_backward(&p->conv, 1, p->x, p->y, p->y, p->weight, NULL, 0, p->dweight, NULL, scratch);
    free(scratch);
    dl_conv_free(&p->conv);
}

/* Height, width, channels, filters; kernel, stride, padding in each direction. */
typedef struct {
    int h, w, c, f;
    int64_t kernel[2], stride[2], padding[2];
} geometry;

static const geometry geometries[] = {
    {8, 9, 1, 6, {5, 5}, {1, 1}, {2, 2}},     /* LeNet's first: part of a vector */
    {8, 10, 1, 6, {5, 5}, {1, 1}, {2, 2}},    /* the same, two pixels in a vector */
    {9, 11, 2, 5, {3, 3}, {2, 2}, {1, 1}},    /* three pixels, with a stride */
    {5, 24, 1, 4, {3, 3}, {1, 1}, {1, 1}},    /* four */
    {14, 14, 6, 16, {5, 5}, {1, 1}, {0, 0}},  /* its second: dx by spreading */
    {9, 9, 5, 7, {3, 3}, {2, 2}, {1, 1}},     /* spreading with a stride */
    {10, 32, 16, 16, {3, 3}, {1, 1}, {1, 1}}, /* two lines at once */
    {9, 11, 16, 16, {3, 3}, {1, 1}, {1, 1}},  /* an odd number of lines */
    {8, 8, 32, 64, {3, 3}, {2, 2}, {1, 1}},   /* four phases, two strips */
    {12, 10, 24, 40, {3, 2}, {2, 3}, {1, 0}}, /* half vectors in strips; six phases */
    {7, 7, 20, 48, {1, 1}, {2, 2}, {0, 0}},   /* a shortcut: phases without taps */
    {10, 9, 6, 2, {1, 1}, {1, 3}, {0, 0}},    /* oneDNN 2.6 wrote out of bounds for these */
    {20, 6, 10, 7, {1, 1}, {2, 1}, {0, 0}},    {10, 16, 3, 4, {1, 1}, {1, 4}, {0, 0}},
    {6, 17, 3, 33, {3, 3}, {1, 1}, {-1, -1}},  /* a row of windows longer than a tile */
    {5, 5, 4, 4, {5, 5}, {1, 1}, {4, 4}},      /* more padding than image */
    {11, 6, 2, 3, {4, 1}, {3, 1}, {-2, -2}},   /* windows that leave pixels out */
    {33, 40, 24, 9, {5, 5}, {2, 1}, {2, 2}},   /* tiles that are several and partial */
    {64, 64, 40, 3, {3, 3}, {1, 1}, {-1, -1}}, /* an image larger than a first cache */
    {6, 6, 130, 20, {7, 3}, {1, 1}, {-1, -1}}, /* many channels: taps in several parts */
};

/* Each method in `methods` (a bit each) that can do it, with 1 to `most_threads` threads. */
static void check_geometry(const geometry *a, const int64_t dilation[2], unsigned methods,
                           int most_threads) {
    static const char *const names[] = {"direct", "onednn", "tiles", "bf16"};
    problem p = {.conv = {.filters = a->f, .bias = true, .training = true}};
    const dl_window *w = &p.conv.window;
    dl_error error = {0};
    if (dl_window_set_dilated(&p.conv.window, dl_shape3(a->h, a->w, a->c), a->kernel, a->stride,
                              dilation, a->padding, "x", &error))
        return;
    p.in = (int64_t)a->h * a->w * a->c;
    p.out = (int64_t)w->out_height * w->out_width * a->f;
    p.weights = a->kernel[0] * a->kernel[1] * a->c * a->f;
    p.x = draw(BATCH * p.in, 1);
    p.weight = draw(p.weights, 2);
    for (int64_t i = 0; i < p.weights; i++) /* so that tanh is not saturated */
        p.weight[i] /= sqrtf((float)(p.weights / a->f));
    p.bias = draw(a->f, 3);
    p.dy = draw(BATCH * p.out, 4);
    p.y = draw(BATCH * p.out, 5);
    p.dx = draw(BATCH * p.in, 5);
    p.dweight = draw(p.weights, 5);
    p.dbias = draw(a->f, 5);
    p.want_y = xcalloc((size_t)(BATCH * p.out), sizeof(double));
    p.want_dx = xcalloc((size_t)(BATCH * p.in), sizeof(double));
    p.want_dweight = xcalloc((size_t)p.weights, sizeof(double));
    p.want_dbias = xcalloc((size_t)a->f, sizeof(double));
    define(&p);
    for (int m = 0; m < METHODS; m++)
        for (int threads = 1; methods >> m & 1 && threads <= most_threads; threads++) {
            char what[200];
            snprintf(what, sizeof what,
                     "%dx%dx%d, %d filters of %dx%d, stride %dx%d, dilation %dx%d, padding %dx%d "
                     "(%lld), by %s with %d threads",
                     a->h, a->w, a->c, a->f, w->kernel[0], w->kernel[1], w->stride[0], w->stride[1],
                     w->dilation[0], w->dilation[1], w->before[0], w->before[1],
                     (long long)a->padding[0], names[m], threads);
            check(&p, (method)m, threads, what);
        }
    void *all[] = {p.x,       p.weight, p.bias,   p.y,       p.dy,           p.dx,
                   p.dweight, p.dbias,  p.want_y, p.want_dx, p.want_dweight, p.want_dbias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void reset(void) {
    dl_threads_set(2);
    dl_backend_set(DL_BACKEND_AUTO);
    dl_onednn_release();
}

static void test_geometries(void **state) {
    (void)state;
    static const int64_t neighbors[2] = {1, 1};
    for (size_t g = 0; g < sizeof geometries / sizeof *geometries; g++)
        check_geometry(&geometries[g], neighbors, (1U << METHODS) - 1, 3);
    reset();
}

/* Images smaller than the stride, the kernel or both: every size up to 4x4, with channels and
   filters that differ from one shape to the next. oneDNN, slow to set up, does one in 16. */
static void test_small_images(void **state) {
    (void)state;
    static const int64_t kernels[][2] = {{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {1, 3}, {5, 2}};
    static const int64_t strides[][2] = {{1, 1}, {2, 2}, {3, 3}, {1, 2}, {3, 1}, {2, 3}};
    static const int64_t dilations[][2] = {{1, 1}, {2, 2}, {3, 1}};
    static const int64_t paddings[] = {DL_PAD_SAME, DL_PAD_VALID, 1, 2};
    unsigned k = 0;
    for (int size = 0; size < 16; size++)
        for (unsigned i = 0; i < 7 * 6 * 3 * 4; i++, k++) {
            const int64_t *kernel = kernels[i % 7], *stride = strides[i / 7 % 6];
            const int64_t *dilation = dilations[i / 42 % 3], padding = paddings[i / 126];
            geometry a = {size / 4 + 1,         size % 4 + 1,           1 + (int)(k % 5),
                          1 + (int)(k / 5 % 5), {kernel[0], kernel[1]}, {stride[0], stride[1]},
                          {padding, padding}};
            bool direct = dilation[0] * dilation[1] == 1 && kernel[0] * kernel[1] > 1;
            direct = direct || (stride[0] * stride[1] > 1 && dilation[0] * dilation[1] == 1);
            bool tiles = kernel[0] * kernel[1] * stride[0] * stride[1] > 1;
            check_geometry(&a, dilation,
                           (unsigned)direct << DIRECT | (unsigned)(tiles && k % 16 == 0) << ONEDNN |
                               1U << TILES,
                           k % 4 ? 1 : 2);
        }
    reset();
}

/* Same threads, same bits; the forward pass whatever the threads. */
static void test_bits(void **state) {
    (void)state;
    int64_t kernel[2] = {3, 3}, stride[2] = {1, 1}, padding[2] = {1, 1};
    dl_conv conv = {.filters = 16, .training = true};
    dl_error error = {0};
    assert_int_equal(
        dl_window_set(&conv.window, dl_shape3(9, 9, 16), kernel, stride, padding, "x", &error), 0);
    int64_t size = 9 * 9 * 16 * BATCH, weights = 9 * 16 * 16;
    float *x = draw(size, 1), *w = draw(weights, 2), *y[3], *dw[3];
    for (int k = 0; k < 3; k++) {
        int threads = k ? 2 : 1;
        dl_threads_set(threads);
        dl_backend_set(DL_BACKEND_OPENBLAS);
        dl_conv_plan(&conv, BATCH, threads);
        y[k] = draw(size, 3);
        dw[k] = draw(weights, 4);
        void *scratch = dl_memory_aligned(dl_conv_scratch(&conv));
        dl_conv_forward(&conv, BATCH, x, w, NULL, y[k], scratch);
        dl_conv_backward(&conv, BATCH, x, y[k], y[k], w, NULL, 0, dw[k], NULL, scratch);
        free(scratch);
        dl_conv_free(&conv);
    }
    assert_memory_equal(y[0], y[1], sizeof *x * (size_t)size);
    assert_memory_equal(dw[1], dw[2], sizeof *x * (size_t)weights);
    for (int k = 0; k < 3; k++) {
        free(y[k]);
        free(dw[k]);
    }
    free(x);
    free(w);
    dl_backend_set(DL_BACKEND_AUTO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geometries),
        cmocka_unit_test(test_small_images),
        cmocka_unit_test(test_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
