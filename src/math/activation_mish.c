/* SPDX-License-Identifier: MIT */
/* y = x tanh(softplus(x)). Misra, "Mish: a self regularized non-monotonic activation function",
   BMVC 2020. With e = e^x and n = e (e + 2): tanh(softplus(x)) = t = n / (n + 2), and
   f' = t + x (1 - t^2) sigmoid(x). From 20 on t is 1 to a float. */
#include "math/activation_row.h"

static inline float tanh_softplus(float x) {
    float e = dl_exp(x < 20 ? x : 20), n = e * (e + 2);
    return n / (n + 2);
}

static inline float mish_slope(float x) {
    float e = dl_exp(x < 20 ? x : 20), n = e * (e + 2), t = n / (n + 2);
    return t + x * (2 / (n + 2)) * (1 + t) * (e / (1 + e));
}

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(v * tanh_softplus(v))
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(mish_slope(v))
}

const dl_activation_type dl_activation_mish = {
    .row = row, .derive = derive, .rectifies = true, .from_input = true};
