/* SPDX-License-Identifier: MIT */
/* y = x · sigmoid(x), with s = sigmoid(x): f' = s + x s (1 - s). Ramachandran et al., "Searching
   for activation functions", 2017. */
#include "math/activation_row.h"

static inline float swish_slope(float x) {
    float s = dl_sigmoid(x);
    return s + x * s * (1.0f - s);
}

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(v * dl_sigmoid(v))
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(swish_slope(v))
}

const dl_activation_type dl_activation_swish = {
    .row = row, .derive = derive, .rectifies = true, .from_input = true};
