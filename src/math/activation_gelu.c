/* SPDX-License-Identifier: MIT */
/* y = x times the share of the normal distribution below x, exactly. Hendrycks and Gimpel,
   "Gaussian error linear units", 2016. */
#include "math/activation_row.h"

static inline float gelu(float x) {
    return 0.5f * x * (1.0f + dl_erf(x * (float)0.70710678118654752));
}

static inline float gelu_slope(float x) {
    float density = (float)0.39894228040143268 * dl_exp(-0.5f * x * x);
    return 0.5f * (1.0f + dl_erf(x * (float)0.70710678118654752)) + x * density;
}

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(gelu(v))
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(gelu_slope(v))
}

const dl_activation_type dl_activation_gelu = {
    .row = row, .derive = derive, .rectifies = true, .from_input = true};
