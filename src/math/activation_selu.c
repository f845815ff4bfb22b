/* SPDX-License-Identifier: MIT */
/* elu, scaled so that mean 0 and variance 1 persist through the layers. Klambauer et al.,
   "Self-normalizing neural networks", NIPS 2017. */
#include "math/activation_row.h"

#define SCALE ((float)1.0507009873554805)
#define ALPHA ((float)1.6732632423543773)

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(SCALE * (v < 0 ? ALPHA * (dl_exp(v) - 1) : v))
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(v > 0 ? SCALE : v + SCALE * ALPHA)
}

const dl_activation_type dl_activation_selu = {.row = row, .derive = derive};
