/* SPDX-License-Identifier: MIT */
/* y = e^x / the sum of e^x over the channels, computed from x - max;  dx = y (dy - sum of dy y) */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    (void)f;
    float most = -INFINITY;
    for (int64_t j = 0; j < channels; j++)
        y[j] = x[j];
    for (int64_t j = 0; bias && j < channels; j++)
        y[j] += bias[j];
    for (int64_t j = 0; j < channels; j++)
        most = y[j] > most ? y[j] : most;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < channels; j++) {
        y[j] = dl_exp(y[j] - most);
        sum += y[j];
    }
    for (int64_t j = 0; j < channels; j++)
        y[j] /= sum;
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    (void)f;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < channels; j++)
        sum += dy[j] * y[j];
    for (int64_t j = 0; j < channels; j++)
        dx[j] = y[j] * (dy[j] - sum);
}

const dl_activation_type dl_activation_softmax = {
    .row = row, .derive = derive, .over_channels = true};
