/* SPDX-License-Identifier: MIT */
/* Direct convolution on NHWC images that are small enough to stay in a core's caches: no
   unfolding, sums in registers, and in the backward pass all that is done to an image is done while
   it is in the cache. */
#ifndef DL_MATH_DIRECT_H
#define DL_MATH_DIRECT_H

#include <stdbool.h>
#include <stddef.h>

#include "math/activation.h"
#include "math/window.h"

typedef struct dl_direct dl_direct;

/* NULL if the images are too large for it, or the activation is softmax. Not `training`: the
   weights are packed in the first forward pass, and may not change after it. */
dl_direct *dl_direct_new(const dl_window *window, int filters, const dl_activation *activation,
                         bool training, int threads);
void dl_direct_free(dl_direct *direct);
/* Bytes of scratch memory that either pass needs, whatever the batch. */
size_t dl_direct_scratch(const dl_direct *direct);

/* y = f(x * weight + bias); bias may be NULL. As dl_conv_forward. */
void dl_direct_forward(dl_direct *direct, int batch, const float *x, const float *weight,
                       const float *bias, float *y, void *scratch);
/* As dl_conv_backward; dy is not changed. */
void dl_direct_backward(dl_direct *direct, int batch, const float *x, const float *y,
                        const float *dy, const float *weight, float *dx, float beta, float *dweight,
                        float *dbias, void *scratch);

#endif
