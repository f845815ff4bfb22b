/* SPDX-License-Identifier: MIT */
/* y = ln(1 + e^x),  f' = sigmoid(x) = 1 - e^-y */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW((v > 0 ? v : 0) + dl_log1p(dl_exp(-fabsf(v))))
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(1 - dl_exp(-v))
}

const dl_activation_type dl_activation_softplus = {.row = row, .derive = derive};
