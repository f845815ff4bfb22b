/* SPDX-License-Identifier: MIT */
/* y = hard_slope · x + 1/2, cut off at 0 and 1 */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    float slope = (float)f->hard_slope;
    DL_ROW(slope * v + 0.5f < 0 ? 0 : slope * v + 0.5f > 1 ? 1 : slope * v + 0.5f)
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    float slope = (float)f->hard_slope;
    DL_SLOPE(v > 0 && v < 1 ? slope : 0)
}

const dl_activation_type dl_activation_hard_sigmoid = {
    .row = row, .derive = derive, .low = 0.01, .high = 0.99};
