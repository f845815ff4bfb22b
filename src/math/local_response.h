/* SPDX-License-Identifier: MIT */
/* Local response normalization over neighboring channels. */
#ifndef DL_MATH_LOCAL_RESPONSE_H
#define DL_MATH_LOCAL_RESPONSE_H

#include <stdint.h>

typedef struct {
    int64_t channels, size;
    double alpha, beta, k;
} dl_local_response;

/* y = x / d^beta, d = k + alpha / size · (the sum of x^2 over the `size` channels around each);
   x, y and d are [rows][channels]. */
void dl_local_response_forward(const dl_local_response *l, int64_t rows, const float *x, float *y,
                               float *d);
/* dx, which is not dy, and dy are overwritten. */
void dl_local_response_backward(const dl_local_response *l, int64_t rows, const float *x,
                                const float *d, float *dy, float *dx);

#endif
