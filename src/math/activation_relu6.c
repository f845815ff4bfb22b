/* SPDX-License-Identifier: MIT */
/* y = min(max(x, 0), 6). Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010. */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(v < 0 ? 0 : v > 6 ? 6 : v)
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    DL_SLOPE(v > 0 && v < 6 ? 1 : 0)
}

const dl_activation_type dl_activation_relu6 = {.row = row, .derive = derive, .rectifies = true};
