#include "math/norm.h"

#include <math.h>
#include <stdbool.h>

#include "math/vector.h"

enum {
    BLOCKS = 64, /* of rows, summed apart: fixed, so that the bits do not depend on the threads */
    SMALL = 1 << 14
};

size_t dl_norm_scratch(int64_t channels) {
    return sizeof(float) * (size_t)channels * 2 * BLOCKS + sizeof(float) * (size_t)channels * 2;
}

static int64_t block_start(int64_t rows, int block) {
    return rows * block / BLOCKS;
}

/* sums[0..channels) of x - first, sums[channels..) of its square, over some rows. */
static void sum_rows(int64_t rows, int64_t channels, const float *x, const float *first,
                     float *sums) {
    float *restrict sum = sums, *restrict square = sums + channels;
    dl_zero(sums, 2 * channels);
    for (int64_t i = 0; i < rows; i++) {
        const float *row = x + i * channels;
#pragma omp simd
        for (int64_t j = 0; j < channels; j++) {
            float d = row[j] - first[j];
            sum[j] += d;
            square[j] += d * d;
        }
    }
}

void dl_norm_statistics(int64_t rows, int64_t channels, const float *x, float *mean,
                        float *variance, void *scratch) {
    float *sums = scratch;
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        int64_t from = block_start(rows, b), to = block_start(rows, b + 1);
        sum_rows(to - from, channels, x + from * channels, x, sums + (int64_t)b * 2 * channels);
    }
    for (int64_t j = 0; j < channels; j++) {
        double sum = 0, square = 0;
        for (int b = 0; b < BLOCKS; b++) {
            sum += sums[((int64_t)b * 2) * channels + j];
            square += sums[((int64_t)b * 2 + 1) * channels + j];
        }
        double shifted = sum / (double)rows, v = square / (double)rows - shifted * shifted;
        mean[j] = (float)(x[j] + shifted);
        variance[j] = v > 0 || v != v ? (float)v : 0;
    }
}

void dl_norm_apply(const dl_activation *f, int64_t rows, int64_t channels, const float *x,
                   const float *factor, const float *offset, float *y) {
    bool relu = f->kind == DL_RELU;
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++)
        for (int64_t i = block_start(rows, b); i < block_start(rows, b + 1); i++) {
            const float *in = x + i * channels;
            float *out = y + i * channels;
            if (relu) {
#pragma omp simd
                for (int64_t j = 0; j < channels; j++) {
                    float v = in[j] * factor[j] + offset[j];
                    out[j] = v < 0 ? 0 : v;
                }
            } else {
#pragma omp simd
                for (int64_t j = 0; j < channels; j++)
                    out[j] = in[j] * factor[j] + offset[j];
            }
        }
    if (!relu)
        dl_activate(f, rows, channels, NULL, y, y);
}

/* dz = f'(y) dy in place; sums of dz, and of dz (x - mean), over some rows. */
static void sum_gradients(const dl_activation *f, int64_t rows, int64_t channels, const float *x,
                          const float *y, const float *mean, float *dy, float *sums) {
    float *restrict sum = sums, *restrict product = sums + channels;
    dl_zero(sums, 2 * channels);
    if (f->kind != DL_LINEAR && f->kind != DL_RELU)
        dl_activate_backward(f, rows, channels, y, dy, dy, NULL);
    for (int64_t i = 0; i < rows; i++) {
        const float *in = x + i * channels, *out = y + i * channels;
        float *g = dy + i * channels;
        if (f->kind == DL_RELU) {
#pragma omp simd
            for (int64_t j = 0; j < channels; j++)
                g[j] = out[j] > 0 ? g[j] : 0;
        }
#pragma omp simd
        for (int64_t j = 0; j < channels; j++) {
            sum[j] += g[j];
            product[j] += g[j] * (in[j] - mean[j]);
        }
    }
}

void dl_norm_backward(const dl_activation *f, int64_t rows, int64_t channels, const float *x,
                      const float *y, const float *mean, const float *inverse, const float *scale,
                      float *dy, float *dx, float *dscale, float *dshift, void *scratch) {
    float *sums = scratch;
    float *a = sums + 2 * BLOCKS * channels, *b = a + channels; /* dx = c dz - a (x - mean) - b */
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int k = 0; k < BLOCKS; k++) {
        int64_t from = block_start(rows, k), at = from * channels;
        sum_gradients(f, block_start(rows, k + 1) - from, channels, x + at, y + at, mean, dy + at,
                      sums + (int64_t)k * 2 * channels);
    }
    for (int64_t j = 0; j < channels; j++) {
        double sum = 0, product = 0;
        for (int k = 0; k < BLOCKS; k++) {
            sum += sums[((int64_t)k * 2) * channels + j];
            product += sums[((int64_t)k * 2 + 1) * channels + j];
        }
        double inv = inverse[j], c = (scale ? scale[j] : 1) * inv / (double)rows;
        if (dscale)
            dscale[j] += (float)(product * inv);
        if (dshift)
            dshift[j] += (float)sum;
        a[j] = (float)(c * inv * inv * product);
        b[j] = (float)(c * sum);
    }
    if (!dx)
        return;
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int k = 0; k < BLOCKS; k++)
        for (int64_t i = block_start(rows, k); i < block_start(rows, k + 1); i++) {
            const float *in = x + i * channels, *g = dy + i * channels;
            float *out = dx + i * channels;
#pragma omp simd
            for (int64_t j = 0; j < channels; j++) {
                float c = (scale ? scale[j] : 1) * inverse[j];
                out[j] = c * g[j] - a[j] * (in[j] - mean[j]) - b[j];
            }
        }
}
