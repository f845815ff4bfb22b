/* SPDX-License-Identifier: MIT */
/* Pooling on NHWC images. Padding is never the maximum, and not averaged. */
#ifndef DL_MATH_POOL_H
#define DL_MATH_POOL_H

#include "math/window.h"

/* y[n][oh][ow][c] = maximum of x in the window; winner (shape of y; may be NULL): its position in
   the window, row-major, the first of equal ones. At most 256 positions. NaN counts as the
   maximum. */
void dl_max_pool_forward(const dl_window *window, int batch, const float *x, float *y,
                         unsigned char *winner);
/* dx is overwritten. */
void dl_max_pool_backward(const dl_window *window, int batch, const float *dy,
                          const unsigned char *winner, float *dx);
/* y (output shape of the pool) = the values of x (its input shape) at the winners. */
void dl_max_pool_gather(const dl_window *window, int batch, const float *x,
                        const unsigned char *winner, float *y);
void dl_avg_pool_forward(const dl_window *window, int batch, const float *x, float *y);
void dl_avg_pool_backward(const dl_window *window, int batch, const float *dy, float *dx);

#endif
