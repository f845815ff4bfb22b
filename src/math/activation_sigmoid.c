/* SPDX-License-Identifier: MIT */
/* y = 1 / (1 + e^-x),  f' = y (1 - y) */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(dl_sigmoid(v))
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(v * (1 - v))
}

const dl_activation_type dl_activation_sigmoid = {
    .row = row, .derive = derive, .low = 0.01, .high = 0.99};
