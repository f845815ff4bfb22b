/* SPDX-License-Identifier: MIT */
#include "math/warp.h"

#include <math.h>
#include <string.h>

const char *const dl_border_names[] = {"zero", "edge", "reflect", NULL};

/* Where position i of an axis of n pixels is found; -1: nowhere, it counts as 0. */
static int64_t inside(int64_t i, int64_t n, dl_border border) {
    if (i >= 0 && i < n)
        return i;
    if (border == DL_BORDER_ZERO)
        return -1;
    if (border == DL_BORDER_EDGE)
        return i < 0 ? 0 : n - 1;
    int64_t period = 2 * (n - 1);
    if (!period)
        return 0;
    i %= period;
    i = i < 0 ? i + period : i;
    return i < n ? i : period - i;
}

/* A point of the input, in rows and columns from its first pixel. */
typedef struct {
    double row, column;
} point;

/* Far outside all is border, and a number that fits an int64_t will do. */
static double bounded(double value) {
    return value > 1e9 ? 1e9 : value > -1e9 ? value : -1e9;
}

static inline point source_of(const dl_warp *w, int row, int column) {
    double middle_x = 0.5 * (w->width - 1), middle_y = 0.5 * (w->height - 1);
    double x = column - middle_x, y = row - middle_y;
    if (w->field) {
        int64_t at = (int64_t)row * w->width + column;
        x += (double)w->field[at];
        y += (double)w->field[at + (int64_t)w->height * w->width];
    }
    return (point){bounded(w->map[3] * x + w->map[4] * y + w->map[5] + middle_y),
                   bounded(w->map[0] * x + w->map[1] * y + w->map[2] + middle_x)};
}

/* The sum of four neighbors, some of them beyond the edges. */
static void sample_edge(const dl_warp *w, int channels, const float *from, int64_t row,
                        int64_t column, const float weight[4], float *to) {
    for (int c = 0; c < channels; c++)
        to[c] = 0;
    for (int k = 0; k < 4; k++) {
        int64_t r = inside(row + k / 2, w->height, w->border);
        int64_t s = inside(column + k % 2, w->width, w->border);
        if (r < 0 || s < 0)
            continue;
        for (int c = 0; c < channels; c++)
            to[c] += weight[k] * from[(r * w->width + s) * channels + c];
    }
}

static inline void bilinear(const dl_warp *w, int channels, const float *restrict from,
                            float *restrict to) {
    for (int i = 0; i < w->height; i++)
        for (int j = 0; j < w->width; j++, to += channels) {
            point p = source_of(w, i, j);
            double row = floor(p.row), column = floor(p.column);
            float y = (float)(p.row - row), x = (float)(p.column - column);
            float weight[4] = {(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x};
            if (!(row >= 0 && column >= 0 && row < w->height - 1 && column < w->width - 1)) {
                sample_edge(w, channels, from, (int64_t)row, (int64_t)column, weight, to);
                continue;
            }
            const float *a = from + ((int64_t)row * w->width + (int64_t)column) * channels;
            const float *b = a + (int64_t)w->width * channels;
            for (int c = 0; c < channels; c++)
                to[c] = weight[0] * a[c] + weight[1] * a[c + channels] + weight[2] * b[c] +
                        weight[3] * b[c + channels];
        }
}

/* The usual numbers of channels as constants: the inner loops go away. */
void dl_warp_bilinear(const dl_warp *w, int channels, const float *from, float *to) {
    if (channels == 1)
        bilinear(w, 1, from, to);
    else if (channels == 3)
        bilinear(w, 3, from, to);
    else
        bilinear(w, channels, from, to);
}

void dl_warp_nearest(const dl_warp *w, int channels, const float *from, float *to) {
    for (int i = 0; i < w->height; i++)
        for (int j = 0; j < w->width; j++, to += channels) {
            point p = source_of(w, i, j);
            int64_t r = inside((int64_t)floor(p.row + 0.5), w->height, w->border);
            int64_t s = inside((int64_t)floor(p.column + 0.5), w->width, w->border);
            for (int c = 0; c < channels; c++)
                to[c] = r < 0 || s < 0 ? 0 : from[(r * w->width + s) * channels + c];
        }
}

/* to[i] = sum over k of weight[|k|] * from[i + k], for rows of `length` numbers that are moved by
   whole rows: the inner loop runs along memory. */
static void blur_rows(const float *from, float *to, int rows, int length, const float *weight,
                      int reach) {
    memset(to, 0, sizeof *to * (size_t)rows * (size_t)length);
    for (int i = 0; i < rows; i++)
        for (int k = -reach; k <= reach; k++) {
            if (i + k < 0 || i + k >= rows)
                continue;
            float *restrict t = to + (int64_t)i * length;
            const float *restrict f = from + (int64_t)(i + k) * length;
            for (int j = 0; j < length; j++)
                t[j] += weight[k < 0 ? -k : k] * f[j];
        }
}

static void blur_columns(const float *from, float *to, int rows, int length, const float *weight,
                         int reach) {
    memset(to, 0, sizeof *to * (size_t)rows * (size_t)length);
    for (int i = 0; i < rows; i++)
        for (int k = -reach; k <= reach; k++) {
            float *restrict t = to + (int64_t)i * length;
            const float *restrict f = from + (int64_t)i * length;
            int first = k < 0 ? -k : 0, last = k > 0 ? length - k : length;
            for (int j = first; j < last; j++)
                t[j] += weight[k < 0 ? -k : k] * f[j + k];
        }
}

void dl_blur(float *x, int height, int width, double sigma, float *scratch) {
    enum { FARTHEST = 256 };
    float weight[FARTHEST + 1];
    double sum = 0;
    int reach = (int)fmin(ceil(3 * sigma), FARTHEST);
    if (sigma <= 0)
        return;
    for (int k = 0; k <= reach; k++)
        sum += (k ? 2 : 1) * exp(-0.5 * k * k / (sigma * sigma));
    for (int k = 0; k <= reach; k++)
        weight[k] = (float)(exp(-0.5 * k * k / (sigma * sigma)) / sum);
    blur_rows(x, scratch, height, width, weight, reach);
    blur_columns(scratch, x, height, width, weight, reach);
}
