/* SPDX-License-Identifier: MIT */
/* y = tanh x,  f' = 1 - y^2 */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(dl_tanh(v))
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(1 - v * v)
}

const dl_activation_type dl_activation_tanh = {
    .row = row, .derive = derive, .low = -0.99, .high = 0.99};
