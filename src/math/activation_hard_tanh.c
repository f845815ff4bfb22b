/* SPDX-License-Identifier: MIT */
/* y = x, cut off at -1 and 1 */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(v < -1 ? -1 : v > 1 ? 1 : v)
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(v > -1 && v < 1 ? 1 : 0)
}

const dl_activation_type dl_activation_hard_tanh = {
    .row = row, .derive = derive, .low = -0.99, .high = 0.99};
