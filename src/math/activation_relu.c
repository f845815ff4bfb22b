/* SPDX-License-Identifier: MIT */
/* y = max(x, 0). NaN stays NaN, so that a diverged run is seen. Nair and Hinton, "Rectified linear
   units improve restricted Boltzmann machines", ICML 2010. */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(v < 0 ? 0 : v)
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(v > 0 ? 1 : 0)
}

const dl_activation_type dl_activation_relu = {.row = row, .derive = derive, .rectifies = true};
