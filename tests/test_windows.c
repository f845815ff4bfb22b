/* SPDX-License-Identifier: MIT */
/* Pools and depthwise convolution on small images, where windows are larger than the image or the
   stride than both, against the sums that define them, in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "math/depthwise.h"
#include "math/pool.h"
#include "math/threads.h"

enum { BATCH = 3, MOST = 4, LARGEST = BATCH * 36 * 10 }; /* padded outputs: 6x6 at most */

static float *draw(float *values, int64_t count, uint16_t purpose) {
    dl_random_normal(&(dl_draw){1, DL_FOR_TEST, purpose, 0, 0}, 0, count, values);
    return values;
}

static void compare(const dl_window *w, const char *what, int64_t count, const float *got,
                    const double *want) {
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - want[i]) <= 1e-5))
            fail_msg("%dx%dx%d, window %dx%d, stride %dx%d, dilation %dx%d, padding %dx%d: "
                     "%s[%lld] is %g, not %g",
                     w->height, w->width, w->channels, w->kernel[0], w->kernel[1], w->stride[0],
                     w->stride[1], w->dilation[0], w->dilation[1], w->before[0], w->before[1], what,
                     (long long)i, (double)got[i], want[i]);
}

/* The pixel under tap (ky, kx) of window (oy, ox), as an index of x; -1 outside the image. */
static int64_t at(const dl_window *w, int n, int oy, int ox, int ky, int kx) {
    int y = oy * w->stride[0] + ky * w->dilation[0] - w->before[0];
    int x = ox * w->stride[1] + kx * w->dilation[1] - w->before[1];
    if (y < 0 || y >= w->height || x < 0 || x >= w->width)
        return -1;
    return (((int64_t)n * w->height + y) * w->width + x) * w->channels;
}

typedef struct {
    float x[LARGEST], y[LARGEST], dy[LARGEST], dx[LARGEST], weight[250], dweight[250];
    double want_y[LARGEST], want_dx[LARGEST], want_dweight[250];
    unsigned char winner[LARGEST];
} memory;

static void clear(memory *m) {
    for (int i = 0; i < LARGEST; i++) {
        m->want_y[i] = m->want_dx[i] = 0;
        m->y[i] = m->dx[i] = NAN; /* all of it is to be written */
    }
    for (int i = 0; i < 250; i++)
        m->want_dweight[i] = 0;
}

/* Channel c of output o, whose window is at (n, oy, ox). */
static void define_pool(const dl_window *w, memory *m, bool max, const int place[3], int c,
                        int64_t o) {
    int64_t inside[25], count = 0, best = -1;
    for (int tap = 0; tap < w->kernel[0] * w->kernel[1]; tap++) {
        int64_t i = at(w, place[0], place[1], place[2], tap / w->kernel[1], tap % w->kernel[1]);
        if (i < 0)
            continue;
        inside[count++] = i + c;
        if (best < 0 || m->x[i + c] > m->x[best])
            best = i + c;
    }
    assert_true(count > 0); /* or there would be no mean */
    if (max) {
        m->want_y[o] = m->x[best];
        m->want_dx[best] += m->dy[o];
    }
    for (int64_t k = 0; !max && k < count; k++) {
        m->want_y[o] += m->x[inside[k]] / (double)count;
        m->want_dx[inside[k]] += m->dy[o] / (double)count;
    }
}

static void define_depthwise(const dl_window *w, memory *m, int multiplier, const int place[3],
                             int c, int64_t o) {
    for (int tap = 0; tap < w->kernel[0] * w->kernel[1]; tap++) {
        int64_t i = at(w, place[0], place[1], place[2], tap / w->kernel[1], tap % w->kernel[1]);
        int64_t k = (int64_t)tap * w->channels * multiplier + c;
        if (i < 0)
            continue;
        i += c / multiplier;
        m->want_y[o] += (double)m->x[i] * m->weight[k];
        m->want_dx[i] += (double)m->dy[o] * m->weight[k];
        m->want_dweight[k] += (double)m->dy[o] * m->x[i];
    }
}

enum { MAX, AVG, DEPTHWISE };

static void define(const dl_window *w, memory *m, int kind, int multiplier) {
    int64_t o = 0;
    clear(m);
    for (int n = 0; n < BATCH; n++)
        for (int oy = 0; oy < w->out_height; oy++)
            for (int ox = 0; ox < w->out_width; ox++)
                for (int c = 0; c < w->channels * multiplier; c++, o++) {
                    const int place[3] = {n, oy, ox};
                    if (kind == DEPTHWISE)
                        define_depthwise(w, m, multiplier, place, c, o);
                    else
                        define_pool(w, m, kind == MAX, place, c, o);
                }
}

static void check_pools(const dl_window *w, memory *m) {
    int64_t in = (int64_t)BATCH * w->height * w->width * w->channels;
    int64_t out = (int64_t)BATCH * w->out_height * w->out_width * w->channels;
    define(w, m, MAX, 1);
    dl_max_pool_forward(w, BATCH, m->x, m->y, m->winner);
    compare(w, "maximum", out, m->y, m->want_y);
    dl_max_pool_backward(w, BATCH, m->dy, m->winner, m->dx);
    compare(w, "gradient of maximum", in, m->dx, m->want_dx);
    define(w, m, AVG, 1);
    dl_avg_pool_forward(w, BATCH, m->x, m->y);
    compare(w, "mean", out, m->y, m->want_y);
    dl_avg_pool_backward(w, BATCH, m->dy, m->dx);
    compare(w, "gradient of mean", in, m->dx, m->want_dx);
}

static void check_depthwise(const dl_window *w, memory *m, int multiplier) {
    int64_t in = (int64_t)BATCH * w->height * w->width * w->channels;
    int64_t out = (int64_t)BATCH * w->out_height * w->out_width * w->channels * multiplier;
    void *scratch = xmalloc(dl_depthwise_scratch(w, multiplier));
    define(w, m, DEPTHWISE, multiplier);
    dl_depthwise_forward(w, multiplier, BATCH, m->x, m->weight, m->y);
    compare(w, "y", out, m->y, m->want_y);
    dl_depthwise_backward_data(w, multiplier, BATCH, m->dy, m->weight, m->dx);
    compare(w, "dx", in, m->dx, m->want_dx);
    dl_depthwise_backward_weights(w, multiplier, BATCH, m->x, m->dy, 0, m->dweight, scratch);
    compare(w, "dweight", (int64_t)w->kernel[0] * w->kernel[1] * w->channels * multiplier,
            m->dweight, m->want_dweight);
    free(scratch);
}

static void test_small_images(void **state) {
    (void)state;
    static const int64_t paddings[] = {DL_PAD_SAME, DL_PAD_VALID, 1, 2};
    memory *m = xcalloc(1, sizeof *m);
    draw(m->x, LARGEST, 1);
    draw(m->dy, LARGEST, 2);
    draw(m->weight, 250, 3);
    dl_threads_set(2);
    int placed = 0;
    for (int size = 0; size < MOST * MOST; size++)
        for (int k = size % 3; k < 25 * 9 * 4 * 3; k += 3) { /* a third of all */
            int64_t kernel[2] = {1 + k % 5, 1 + k / 5 % 5}, pad = paddings[k / 225 % 4];
            int64_t stride[2] = {1 + k / 25 % 3, 1 + k / 75 % 3}, padding[2] = {pad, pad};
            int64_t dilation[2] = {k / 900 == 1 ? 2 : 1, k / 900 == 1 ? 2 : 1};
            int channels = 1 + (k + size) % 5;
            dl_shape shape = dl_shape3(1 + size / MOST, 1 + size % MOST, channels);
            dl_window w;
            dl_error error = {0};
            if (k / 900 == 2 ? dl_window_set_ceil(&w, shape, kernel, stride, padding, "", &error)
                             : dl_window_set_dilated(&w, shape, kernel, stride, dilation, padding,
                                                     "", &error)) {
                dl_error_clear(&error);
                continue;
            }
            placed++;
            if (w.dilation[0] == 1)
                check_pools(&w, m);
            if (k / 900 < 2)
                check_depthwise(&w, m, 1 + k % 2);
        }
    assert_true(placed > 4000);
    free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_small_images)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
