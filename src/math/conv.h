/* SPDX-License-Identifier: MIT */
/* Two-dimensional convolution (cross-correlation, as in other frameworks) on NHWC images: directly,
   by oneDNN, or by matrix products over tiles of unfolded windows that fit into the cache. */
#ifndef DL_MATH_CONV_H
#define DL_MATH_CONV_H

#include <stdbool.h>
#include <stddef.h>

#include "math/activation.h"
#include "math/window.h"

typedef struct {
    dl_window window;
    int filters;
    int groups; /* of channels, each read by filters / groups filters; 0 means 1 */
    bool bias, training;
    bool separate; /* the passes are called separately */
    dl_activation activation;
    /* set by dl_conv_plan */
    int tile;    /* output rows unfolded at a time */
    int threads; /* that share the scratch memory */
    /* the method; both NULL: matrix products over tiles */
    struct dl_direct *direct;
    struct dl_onednn_conv *onednn;
    bool onednn_forward, onednn_backward; /* rather than directly */
} dl_conv;

/* Completes a plan whose first fields are set, for up to `batch` images. */
void dl_conv_plan(dl_conv *conv, int batch, int threads);
/* Frees what the plan owns; a zeroed plan is allowed. */
void dl_conv_free(dl_conv *conv);
/* Bytes of scratch memory of each pass, for any batch. */
size_t dl_conv_scratch(const dl_conv *conv);

/* y[n][oh][ow][f] = f(x[n][h][w][c] * weight[kh][kw][c / groups][f] + bias[f]); bias is
   NULL if the plan has none. */
void dl_conv_forward(const dl_conv *conv, int batch, const float *x, const float *weight,
                     const float *bias, float *y, void *scratch);
/* From dy and y, the output: dx (overwritten; may be NULL), dweight = … + beta · dweight (beta 0 or
   1), dbias += … (may be NULL). dy is overwritten. The bits depend on the number of
   threads: each sums its images, then the sums are added in the order of the threads. */
void dl_conv_backward(const dl_conv *conv, int batch, const float *x, const float *y, float *dy,
                      const float *weight, float *dx, float beta, float *dweight, float *dbias,
                      void *scratch);

/* Its steps, for a `separate` plan: dx from the gradient before the activation, and dweight. */
void dl_conv_backward_data(const dl_conv *conv, int batch, const float *dy, const float *weight,
                           float *dx, void *scratch);
void dl_conv_backward_weights(const dl_conv *conv, int batch, const float *x, const float *dy,
                              float beta, float *dweight, void *scratch);

#endif
