/* SPDX-License-Identifier: MIT */
#include "math/maximum.h"

#include <stdbool.h>

enum { SMALL = 1 << 13 };

void dl_maximum_forward(int64_t rows, int64_t pieces, int64_t n, const float *z, float *y,
                        unsigned char *winner) {
#pragma omp parallel for schedule(static) if (rows * pieces * n >= SMALL)
    for (int64_t i = 0; i < rows; i++) {
        float *best = y + i * n;
        unsigned char *which = winner + i * n;
        for (int64_t p = 0; p < pieces; p++) {
            const float *piece = z + (i * pieces + p) * n;
#pragma omp simd
            for (int64_t j = 0; j < n; j++) {
                bool wins = p == 0 || !(piece[j] <= best[j]);
                best[j] = wins ? piece[j] : best[j];
                which[j] = wins ? (unsigned char)p : which[j];
            }
        }
    }
}

void dl_maximum_backward(int64_t rows, int64_t pieces, int64_t n, const float *dy,
                         const unsigned char *winner, float *dz) {
#pragma omp parallel for schedule(static) if (rows * pieces * n >= SMALL)
    for (int64_t i = 0; i < rows; i++)
        for (int64_t p = 0; p < pieces; p++)
#pragma omp simd
            for (int64_t j = 0; j < n; j++)
                dz[(i * pieces + p) * n + j] = winner[i * n + j] == p ? dy[i * n + j] : 0;
}
