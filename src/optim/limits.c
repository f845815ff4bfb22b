#include "optim/limits.h"

#include <math.h>

void dl_limit_values(float *x, int64_t count, double limit) {
    float most = (float)limit;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++)
        x[i] = x[i] > most ? most : x[i] < -most ? -most : x[i];
}

void dl_add_noise(const dl_draw *draw, double scale, double deviation, float *x, int64_t count) {
    enum { PIECE = 1024 };
    float by = (float)scale, spread = (float)deviation;
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < count; first += PIECE) {
        float noise[PIECE];
        int64_t n = count - first < PIECE ? count - first : PIECE;
        dl_random_normal(draw, first, n, noise);
        for (int64_t i = 0; i < n; i++)
            x[first + i] = by * x[first + i] + spread * noise[i];
    }
}

/* Units from..to of rows of `units` units; at most PIECE of them. */
enum { PIECE = 64 };

static void limit_some(float *x, int64_t rows, int64_t units, int64_t inner, int64_t from,
                       int64_t to, double limit) {
    double square[PIECE] = {0};
    float factor[PIECE];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t u = from; u < to; u++)
            for (int64_t k = 0; k < inner; k++) {
                double value = x[(r * units + u) * inner + k];
                square[u - from] += value * value;
            }
    for (int64_t u = from; u < to; u++) {
        double norm = sqrt(square[u - from]);
        factor[u - from] = norm > limit ? (float)(limit / norm) : 1;
    }
    for (int64_t r = 0; r < rows; r++)
        for (int64_t u = from; u < to; u++)
            for (int64_t k = 0; k < inner; k++)
                x[(r * units + u) * inner + k] *= factor[u - from];
}

void dl_limit_norms(float *x, int64_t count, int64_t units, int64_t inner, double limit) {
    int64_t rows = count / (units * inner);
#pragma omp parallel for schedule(static)
    for (int64_t from = 0; from < units; from += PIECE)
        limit_some(x, rows, units, inner, from, from + PIECE < units ? from + PIECE : units, limit);
}
