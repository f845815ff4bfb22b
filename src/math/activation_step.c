/* SPDX-License-Identifier: MIT */
/* y = 1, or 0 below 0 (NaN stays NaN). Flat wherever it has a derivative; `straight` takes that to
 * be 1. */
#include "math/activation_row.h"

static void row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y) {
    DL_ROW(v < 0 ? 0 : v == v ? 1 : v)
}

static void derive(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    const float through = f->straight ? 1 : 0;
    (void)y;
    for (int64_t j = 0; j < channels; j++)
        dx[j] = dy[j] * through;
}

const dl_activation_type dl_activation_step = {.row = row, .derive = derive};
