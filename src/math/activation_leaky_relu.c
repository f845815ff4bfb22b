/* SPDX-License-Identifier: MIT */
/* y = x, or slope · x below 0. Maas et al., "Rectifier nonlinearities improve neural network
   acoustic models", ICML 2013. */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    const float slope = (float)f->slope;
    DL_ROW(v < 0 ? slope * v : v)
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    const float slope = (float)f->slope;
    DL_SLOPE(v > 0 ? 1 : slope)
}

const dl_activation_type dl_activation_leaky_relu = {
    .row = row, .derive = derive, .rectifies = true};
