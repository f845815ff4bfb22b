/* SPDX-License-Identifier: MIT */
/* y = x · min(max(x / 6 + 1/2, 0), 1). Howard et al., "Searching for MobileNetV3", ICCV 2019. */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(v <= -3 ? 0 : v >= 3 ? v : v * (v * (1 / 6.0f) + 0.5f))
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(v <= -3 ? 0 : v >= 3 ? 1 : v * (1 / 3.0f) + 0.5f)
}

const dl_activation_type dl_activation_hard_swish = {
    .row = row, .derive = derive, .rectifies = true, .from_input = true};
