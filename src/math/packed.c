/* SPDX-License-Identifier: MIT */
#include "math/packed.h"

#include "math/direct_plan.h"

int64_t dl_packed_columns(int64_t n) {
    return whole_vectors(n);
}

int64_t dl_packed_size(int64_t n, int64_t k) {
    return whole_vectors(n) * k;
}

void dl_pack(bool transpose, int64_t n, int64_t k, const float *b, float *packed) {
#pragma omp parallel for schedule(static) if (n * k >= 1 << 15)
    for (int64_t j = 0; j < n; j += STRIP) {
        int64_t width = strip_width((int)n, (int)j), used = n - j < width ? n - j : width;
        float *to = packed + j * k;
        for (int64_t i = 0; i < k; i++, to += width) {
            for (int64_t l = 0; l < used; l++)
                to[l] = transpose ? b[(j + l) * k + i] : b[i * n + j + l];
            for (int64_t l = used; l < width; l++)
                to[l] = 0;
        }
    }
}

void dl_packed_multiply(int64_t rows, int64_t n, int64_t k, const float *a, int64_t a_step,
                        const float *packed, float *c, int64_t c_step) {
    static const float zeros[STRIP] = {0};
    direct_window window = {.rows = 1, .run = (int)k, .x_step = a_step, .out_step = c_step};
    for (int64_t j = 0; j < n; j += STRIP) {
        int vectors = strip_width((int)n, (int)j) / LANES;
        /* tiles of rows as even as can be: a strip stays in the first cache from one to the next */
        int64_t most = direct_most_pixels(vectors), tiles = (rows + most - 1) / most;
        for (int64_t tile = 0; tile < tiles; tile++) {
            int64_t first = rows * tile / tiles, last = rows * (tile + 1) / tiles;
            direct_sum_taps(&window, (int)(last - first), vectors, a + first * a_step,
                            packed + j * k, zeros, c + first * c_step + j);
        }
    }
}
