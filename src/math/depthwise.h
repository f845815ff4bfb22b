/* SPDX-License-Identifier: MIT */
/* Depthwise convolution, of each channel separately, on NHWC images. */
#ifndef DL_MATH_DEPTHWISE_H
#define DL_MATH_DEPTHWISE_H

#include <stddef.h>

#include "math/window.h"

/* x[batch][h][w][c], weight[kh][kw][c][multiplier], y[batch][oh][ow][c * multiplier]: channel c
   gives outputs c*multiplier to (c+1)*multiplier - 1. */
void dl_depthwise_forward(const dl_window *window, int multiplier, int batch, const float *x,
                          const float *weight, float *y);
/* dx (overwritten) from dy. */
void dl_depthwise_backward_data(const dl_window *window, int multiplier, int batch, const float *dy,
                                const float *weight, float *dx);
/* dweight = … + beta * dweight, beta being 0 or 1. The bits do not depend on the threads. */
void dl_depthwise_backward_weights(const dl_window *window, int multiplier, int batch,
                                   const float *x, const float *dy, float beta, float *dweight,
                                   void *scratch);
/* Bytes of scratch memory for it. */
size_t dl_depthwise_scratch(const dl_window *window, int multiplier);

#endif
