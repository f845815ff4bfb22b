#include "math/vector.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 1024, CHUNKS = 64, SMALL = 1 << 15 };

typedef double (*block_sum)(const float *x, int64_t count);

static double squares(const float *x, int64_t count) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += x[i] * x[i];
    return sum;
}

static double magnitudes(const float *x, int64_t count) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += fabsf(x[i]);
    return sum;
}

static double sum_blocks(block_sum block, const float *x, int64_t count) {
    double partial[CHUNKS] = {0}, sum = 0;
    int64_t size = (count / CHUNKS / BLOCK + 1) * BLOCK;
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int c = 0; c < CHUNKS; c++) {
        int64_t last = (c + 1) * size < count ? (c + 1) * size : count;
        for (int64_t i = c * size; i < last; i += BLOCK)
            partial[c] += block(x + i, last - i < BLOCK ? last - i : BLOCK);
    }
    for (int c = 0; c < CHUNKS; c++)
        sum += partial[c];
    return sum;
}

double dl_sum_of_squares(const float *x, int64_t count) {
    return sum_blocks(squares, x, count);
}

double dl_sum_of_magnitudes(const float *x, int64_t count) {
    return sum_blocks(magnitudes, x, count);
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
