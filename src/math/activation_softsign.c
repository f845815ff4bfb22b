/* SPDX-License-Identifier: MIT */
/* y = x / (1 + |x|),  f' = (1 - |y|)^2 */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(v / (1 + fabsf(v)))
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE((1 - fabsf(v)) * (1 - fabsf(v)))
}

const dl_activation_type dl_activation_softsign = {
    .row = row, .derive = derive, .low = -0.99, .high = 0.99};
