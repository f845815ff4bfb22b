/* SPDX-License-Identifier: MIT */
/* Pooling on NHWC images. Padding is outside the image: it never wins and is not averaged. */
#ifndef DL_MATH_POOL_H
#define DL_MATH_POOL_H

#include "math/window.h"

/* y[n][oh][ow][c] = the largest x under the window; winner (same shape as y) = its place in the
   window, row-major, the first one if several are equal. winner may be NULL. The window has at most
   256 places. A NaN wins. */
void dl_max_pool_forward(const dl_window *window, int batch, const float *x, float *y,
                         unsigned char *winner);
/* dx is overwritten. */
void dl_max_pool_backward(const dl_window *window, int batch, const float *dy,
                          const unsigned char *winner, float *dx);
/* y (the pool's output shape) = what x (its input shape) has at the winners' places. */
void dl_max_pool_gather(const dl_window *window, int batch, const float *x,
                        const unsigned char *winner, float *y);
void dl_avg_pool_forward(const dl_window *window, int batch, const float *x, float *y);
void dl_avg_pool_backward(const dl_window *window, int batch, const float *dy, float *dx);

#endif
