/* SPDX-License-Identifier: MIT */
#include "optim/clipping.h"

#include <math.h>
#include <stdbool.h>

void dl_clip_values(float *x, int64_t count, double limit) {
    float most = (float)limit;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++)
        x[i] = x[i] > most ? most : x[i] < -most ? -most : x[i];
}

void dl_add_noise(const dl_draw *draw, double scale, double deviation, float *x, int64_t count) {
    enum { CHUNK = 1024 };
    float by = (float)scale, spread = (float)deviation;
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < count; first += CHUNK) {
        float noise[CHUNK];
        int64_t n = count - first < CHUNK ? count - first : CHUNK;
        dl_random_normal(draw, first, n, noise);
        for (int64_t i = 0; i < n; i++)
            x[first + i] = by * x[first + i] + spread * noise[i];
    }
}

enum { CHUNK = 64 };

/* sum[count] += the squares of row[count][inner]. */
static void add_squares(const float *row, int64_t count, int64_t inner, double *sum) {
    if (inner == 1) {
#pragma omp simd
        for (int64_t u = 0; u < count; u++)
            sum[u] += (double)row[u] * (double)row[u];
        return;
    }
    for (int64_t u = 0; u < count; u++)
        for (int64_t k = 0; k < inner; k++)
            sum[u] += (double)row[u * inner + k] * (double)row[u * inner + k];
}

/* row[count][inner] times factor[count] */
static void scale_units(float *row, int64_t count, int64_t inner, const float *factor) {
    if (inner == 1) {
#pragma omp simd
        for (int64_t u = 0; u < count; u++)
            row[u] *= factor[u];
        return;
    }
    for (int64_t u = 0; u < count; u++)
        for (int64_t k = 0; k < inner; k++)
            row[u * inner + k] *= factor[u];
}

/* Up to CHUNK units, from x on; rows are `stride` apart. */
static void clip_units(float *x, int64_t rows, int64_t stride, int64_t count, int64_t inner,
                       double limit) {
    double square[CHUNK] = {0};
    float factor[CHUNK];
    bool any = false;
    for (int64_t r = 0; r < rows; r++)
        add_squares(x + r * stride, count, inner, square);
    for (int64_t u = 0; u < count; u++) {
        double norm = sqrt(square[u]);
        factor[u] = norm > limit ? (float)(limit / norm) : 1;
        any |= norm > limit;
    }
    for (int64_t r = 0; any && r < rows; r++)
        scale_units(x + r * stride, count, inner, factor);
}

void dl_clip_norms(float *x, int64_t count, int64_t units, int64_t inner, double limit) {
    int64_t rows = count / (units * inner);
#pragma omp parallel for schedule(static)
    for (int64_t from = 0; from < units; from += CHUNK)
        clip_units(x + from * inner, rows, units * inner,
                   units - from < CHUNK ? units - from : CHUNK, inner, limit);
}
