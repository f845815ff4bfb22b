#include "math/norm.h"

#include <math.h>
#include <stdbool.h>

#include "math/vector.h"

enum {
    BLOCKS = 64, /* of rows, summed apart: fixed, so that the bits do not depend on the threads */
    WIDE = 128,  /* elements that the inner loops like to run over */
    SMALL = 1 << 14
};

/* Few channels would make short inner loops: several rows are then taken as one wide row, with the
   channels' numbers repeated. */
typedef struct {
    int64_t channels, width; /* width: a multiple of channels */
    int64_t rows;            /* of that width */
    int64_t rest;            /* rows of `channels` behind them */
} layout;

static layout widen(int64_t rows, int64_t channels) {
    int64_t repeat = channels < WIDE ? WIDE / channels : 1;
    return (layout){channels, repeat * channels, rows / repeat, rows % repeat};
}

size_t dl_norm_scratch(int64_t channels) {
    int64_t width = widen(0, channels).width;
    return sizeof(float) * (size_t)(2 * BLOCKS * width + 4 * width);
}

static int64_t block_start(const layout *l, int block) {
    return l->rows * block / BLOCKS;
}

static void repeat_channels(const layout *l, const float *from, float *to) {
    for (int64_t j = 0; j < l->width; j++)
        to[j] = from[j % l->channels];
}

/* Folds the blocks' wide sums of kind `which` (0 or 1) of channel j. */
static double fold(const layout *l, const float *sums, int which, int64_t j) {
    double sum = 0;
    for (int b = 0; b < BLOCKS; b++)
        for (int64_t i = j; i < l->width; i += l->channels)
            sum += sums[((int64_t)b * 2 + which) * l->width + i];
    return sum;
}

/* sums[0..width) of x - first, sums[width..) of its square, over some rows. */
static void sum_rows(int64_t rows, int64_t width, const float *x, const float *first,
                     float *restrict sum, float *restrict square) {
    for (int64_t i = 0; i < rows; i++) {
        const float *row = x + i * width;
#pragma omp simd
        for (int64_t j = 0; j < width; j++) {
            float d = row[j] - first[j];
            sum[j] += d;
            square[j] += d * d;
        }
    }
}

void dl_norm_statistics(int64_t rows, int64_t channels, const float *x, float *mean,
                        float *variance, void *scratch) {
    layout l = widen(rows, channels);
    float *sums = scratch, *first = sums + 2 * BLOCKS * l.width;
    repeat_channels(&l, x, first);
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        int64_t from = block_start(&l, b), count = block_start(&l, b + 1) - from;
        float *own = sums + (int64_t)b * 2 * l.width;
        dl_zero(own, 2 * l.width);
        sum_rows(count, l.width, x + from * l.width, first, own, own + l.width);
        if (b == BLOCKS - 1)
            sum_rows(l.rest, channels, x + l.rows * l.width, first, own, own + l.width);
    }
    for (int64_t j = 0; j < channels; j++) {
        double shifted = fold(&l, sums, 0, j) / (double)rows;
        double v = fold(&l, sums, 1, j) / (double)rows - shifted * shifted;
        mean[j] = (float)(x[j] + shifted);
        variance[j] = v > 0 || v != v ? (float)v : 0;
    }
}

static void apply_rows(bool relu, int64_t rows, int64_t width, const float *x, const float *factor,
                       const float *offset, float *y) {
    for (int64_t i = 0; i < rows * width; i += width) {
        if (relu) {
#pragma omp simd
            for (int64_t j = 0; j < width; j++) {
                float v = x[i + j] * factor[j] + offset[j];
                y[i + j] = v < 0 ? 0 : v;
            }
        } else {
#pragma omp simd
            for (int64_t j = 0; j < width; j++)
                y[i + j] = x[i + j] * factor[j] + offset[j];
        }
    }
}

void dl_norm_apply(const dl_activation *f, int64_t rows, int64_t channels, const float *x,
                   const float *factor, const float *offset, float *y, void *scratch) {
    layout l = widen(rows, channels);
    bool relu = f->kind == DL_RELU;
    float *factors = scratch, *offsets = factors + l.width;
    repeat_channels(&l, factor, factors);
    repeat_channels(&l, offset, offsets);
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        int64_t from = block_start(&l, b), at = from * l.width;
        apply_rows(relu, block_start(&l, b + 1) - from, l.width, x + at, factors, offsets, y + at);
    }
    int64_t at = l.rows * l.width;
    apply_rows(relu, l.rest, channels, x + at, factors, offsets, y + at);
    if (!relu)
        dl_activate(f, rows, channels, NULL, y, y);
}

/* Sums of dz, and of dz (x - mean), over some rows; relu: dz = f'(y) dy is made in place first. */
static void sum_gradients(bool relu, int64_t rows, int64_t width, const float *x, const float *y,
                          const float *mean, float *dy, float *restrict sum,
                          float *restrict product) {
    for (int64_t i = 0; i < rows * width; i += width) {
        if (relu) {
#pragma omp simd
            for (int64_t j = 0; j < width; j++) {
                float g = y[i + j] > 0 ? dy[i + j] : 0;
                dy[i + j] = g;
                sum[j] += g;
                product[j] += g * (x[i + j] - mean[j]);
            }
        } else {
#pragma omp simd
            for (int64_t j = 0; j < width; j++) {
                sum[j] += dy[i + j];
                product[j] += dy[i + j] * (x[i + j] - mean[j]);
            }
        }
    }
}

/* dx = c dz - a x - b */
static void combine_rows(int64_t rows, int64_t width, const float *x, const float *dz,
                         const float *a, const float *b, const float *c, float *dx) {
    for (int64_t i = 0; i < rows * width; i += width)
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            dx[i + j] = c[j] * dz[i + j] - a[j] * x[i + j] - b[j];
}

static void sum_all_gradients(const dl_activation *f, const layout *l, const float *x,
                              const float *y, const float *means, float *dy, float *sums) {
    bool relu = f->kind == DL_RELU;
    int64_t rows = l->rows * (l->width / l->channels) + l->rest;
    if (f->kind != DL_LINEAR && !relu)
        dl_activate_backward(f, rows, l->channels, y, dy, dy, NULL);
#pragma omp parallel for schedule(static) if (rows * l->channels >= SMALL)
    for (int k = 0; k < BLOCKS; k++) {
        int64_t from = block_start(l, k), at = from * l->width;
        float *own = sums + (int64_t)k * 2 * l->width;
        dl_zero(own, 2 * l->width);
        sum_gradients(relu, block_start(l, k + 1) - from, l->width, x + at, y + at, means, dy + at,
                      own, own + l->width);
        at = l->rows * l->width;
        if (k == BLOCKS - 1)
            sum_gradients(relu, l->rest, l->channels, x + at, y + at, means, dy + at, own,
                          own + l->width);
    }
}

void dl_norm_backward(const dl_activation *f, int64_t rows, int64_t channels, const float *x,
                      const float *y, const float *mean, const float *inverse, const float *scale,
                      float *dy, float *dx, float *dscale, float *dshift, void *scratch) {
    layout l = widen(rows, channels);
    float *sums = scratch, *means = sums + 2 * BLOCKS * l.width;
    float *a = means + l.width, *b = a + l.width, *c = b + l.width;
    repeat_channels(&l, mean, means);
    sum_all_gradients(f, &l, x, y, means, dy, sums);
    for (int64_t j = 0; j < channels; j++) {
        double sum = fold(&l, sums, 0, j), product = fold(&l, sums, 1, j), inv = inverse[j];
        double factor = (scale ? scale[j] : 1) * inv;
        double slope = factor / (double)rows * inv * inv * product;
        if (dscale)
            dscale[j] += (float)(product * inv);
        if (dshift)
            dshift[j] += (float)sum;
        a[j] = (float)slope;
        b[j] = (float)(factor / (double)rows * sum - slope * mean[j]);
        c[j] = (float)factor;
    }
    if (!dx)
        return;
    for (int64_t j = channels; j < l.width; j++) {
        a[j] = a[j - channels];
        b[j] = b[j - channels];
        c[j] = c[j - channels];
    }
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int k = 0; k < BLOCKS; k++) {
        int64_t from = block_start(&l, k), at = from * l.width;
        combine_rows(block_start(&l, k + 1) - from, l.width, x + at, dy + at, a, b, c, dx + at);
    }
    int64_t at = l.rows * l.width;
    combine_rows(l.rest, channels, x + at, dy + at, a, b, c, dx + at);
}
