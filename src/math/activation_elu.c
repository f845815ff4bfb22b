/* SPDX-License-Identifier: MIT */
/* y = x, or alpha (e^x - 1) below 0, where f' = y + alpha. Clevert et al., "Fast and accurate deep
   network learning by exponential linear units", ICLR 2016. */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    const float alpha = (float)f->alpha;
    DL_ROW(v < 0 ? alpha * (dl_exp(v) - 1) : v)
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    const float alpha = (float)f->alpha;
    DL_SLOPE(v > 0 ? 1 : v + alpha)
}

const dl_activation_type dl_activation_elu = {.row = row, .derive = derive, .rectifies = true};
