/* SPDX-License-Identifier: MIT */
#include "math/prelu.h"

#include "math/vector.h"
#include "math/wide.h"

size_t dl_prelu_scratch(int64_t channels) {
    return sizeof(float) * (size_t)((BLOCKS + 1) * widen(0, channels).width);
}

static void forward_rows(int64_t rows, int64_t width, const float *x, const float *slope,
                         float *y) {
    for (int64_t i = 0; i < rows * width; i += width)
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            y[i + j] = x[i + j] > 0 ? x[i + j] : slope[j] * x[i + j];
}

void dl_prelu_forward(int64_t rows, int64_t channels, const float *x, const float *slope, float *y,
                      void *scratch) {
    layout l = widen(rows, channels);
    float *slopes = scratch;
    repeat_channels(&l, slope, slopes);
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        int64_t from = block_start(&l, b), at = from * l.width;
        forward_rows(block_start(&l, b + 1) - from, l.width, x + at, slopes, y + at);
    }
    int64_t at = l.rows * l.width;
    forward_rows(l.rest, channels, x + at, slopes, y + at);
}

/* dx, and the sums of dy x where x is not above 0. */
static void backward_rows(int64_t rows, int64_t width, const float *x, const float *slope,
                          const float *dy, float *dx, float *restrict sum) {
    for (int64_t i = 0; i < rows * width; i += width) {
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            sum[j] += x[i + j] > 0 ? 0 : dy[i + j] * x[i + j];
        if (dx)
#pragma omp simd
            for (int64_t j = 0; j < width; j++)
                dx[i + j] = x[i + j] > 0 ? dy[i + j] : slope[j] * dy[i + j];
    }
}

void dl_prelu_backward(int64_t rows, int64_t channels, const float *x, const float *slope,
                       const float *dy, float *dx, float *dslope, void *scratch) {
    layout l = widen(rows, channels);
    float *sums = scratch, *slopes = sums + BLOCKS * l.width;
    repeat_channels(&l, slope, slopes);
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        int64_t from = block_start(&l, b), at = from * l.width, end = l.rows * l.width;
        float *own = sums + b * l.width;
        dl_zero(own, l.width);
        backward_rows(block_start(&l, b + 1) - from, l.width, x + at, slopes, dy + at,
                      dx ? dx + at : NULL, own);
        if (b == BLOCKS - 1)
            backward_rows(l.rest, channels, x + end, slopes, dy + end, dx ? dx + end : NULL, own);
    }
    for (int64_t j = 0; j < channels; j++) {
        double sum = 0;
        for (int64_t i = j; i < BLOCKS * l.width; i += channels) /* width is a multiple of it */
            sum += sums[i];
        dslope[j] += (float)sum;
    }
}
