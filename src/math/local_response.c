/* SPDX-License-Identifier: MIT */
#include "math/local_response.h"

#include <math.h>

enum { SMALL = 1 << 12 };

/* to[j] += the sum of from[i], i from j - before to j + after, as far as there are channels. */
static void add_window(int64_t channels, int64_t before, int64_t after, const float *from,
                       float *to) {
    for (int64_t o = -before; o <= after; o++) {
        int64_t first = o < 0 ? -o : 0, last = o > 0 ? channels - o : channels;
#pragma omp simd
        for (int64_t j = first; j < last; j++)
            to[j] += from[j + o];
    }
}

/* out[j] = x[j] / d[j]^beta; the power of AlexNet by square roots, as vectors. */
static void divide_by_power(double beta, int64_t channels, const float *x, const float *d,
                            float *out) {
    if (beta == 0.75) {
#pragma omp simd
        for (int64_t j = 0; j < channels; j++) {
            float root = sqrtf(d[j]);
            out[j] = x[j] / (root * sqrtf(root));
        }
        return;
    }
    for (int64_t j = 0; j < channels; j++)
        out[j] = (float)(x[j] * pow(d[j], -beta));
}

void dl_local_response_forward(const dl_local_response *l, int64_t rows, const float *x, float *y,
                               float *d) {
    const float share = (float)(l->alpha / (double)l->size), k = (float)l->k;
    const int64_t channels = l->channels, before = l->size / 2, after = (l->size - 1) / 2;
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int64_t i = 0; i < rows * channels; i += channels) {
#pragma omp simd
        for (int64_t j = i; j < i + channels; j++) {
            y[j] = share * x[j] * x[j]; /* for a moment */
            d[j] = k;
        }
        add_window(channels, before, after, y + i, d + i);
        divide_by_power(l->beta, channels, x + i, d + i, y + i);
    }
}

/* dx[j] = dy[j] / d[j]^beta - 2 alpha beta / size · x[j] · (the sum of t[i] over those i whose
   windows have j in them), t[i] = dy[i] x[i] / d[i]^(beta + 1). */
void dl_local_response_backward(const dl_local_response *l, int64_t rows, const float *x,
                                const float *d, float *dy, float *dx) {
    const float share = (float)(-2 * l->alpha * l->beta / (double)l->size);
    const int64_t channels = l->channels, before = (l->size - 1) / 2, after = l->size / 2;
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int64_t i = 0; i < rows * channels; i += channels) {
        const float *own_x = x + i, *own_d = d + i;
        float *own_dx = dx + i, *t = dy + i;
        divide_by_power(l->beta, channels, dy + i, own_d, own_dx);
#pragma omp simd
        for (int64_t j = 0; j < channels; j++)
            t[j] = own_dx[j] * own_x[j] / own_d[j];
        for (int64_t o = -before; o <= after; o++) {
            int64_t first = o < 0 ? -o : 0, last = o > 0 ? channels - o : channels;
#pragma omp simd
            for (int64_t j = first; j < last; j++)
                own_dx[j] += share * own_x[j] * t[j + o];
        }
    }
}
