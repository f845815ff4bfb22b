/* SPDX-License-Identifier: MIT */
#include "math/vector.h"

#include <math.h>
#include <string.h>

enum { CHUNKS = 64, SMALL = 1 << 15 };

/* In double from the first square on: 1e20 squared is no float, and a gradient may be that
   large. */
static double squares(const float *x, int64_t count) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += (double)x[i] * x[i];
    return sum;
}

static double magnitudes(const float *x, int64_t count) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += fabs((double)x[i]);
    return sum;
}

static double sum_of(double (*sum_some)(const float *, int64_t), const float *x, int64_t count) {
    double partial[CHUNKS] = {0}, sum = 0;
    int64_t size = count / CHUNKS + 1;
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int c = 0; c < CHUNKS; c++) {
        int64_t first = c * size, last = first + size < count ? first + size : count;
        if (first < last)
            partial[c] = sum_some(x + first, last - first);
    }
    for (int c = 0; c < CHUNKS; c++)
        sum += partial[c];
    return sum;
}

double dl_sum_of_squares(const float *x, int64_t count) {
    return sum_of(squares, x, count);
}

double dl_sum_of_magnitudes(const float *x, int64_t count) {
    return sum_of(magnitudes, x, count);
}

int64_t dl_find_not_finite(const float *x, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(x[i]))
            return i;
    return -1;
}

void dl_add(float *y, const float *x, int64_t count) {
#pragma omp parallel for simd schedule(static) if (count >= SMALL)
    for (int64_t i = 0; i < count; i++)
        y[i] += x[i];
}

void dl_zero(float *x, int64_t count) {
    memset(x, 0, sizeof *x * (size_t)count);
}

void dl_copy(float *y, const float *x, int64_t count) {
    memcpy(y, x, sizeof *x * (size_t)count);
}
