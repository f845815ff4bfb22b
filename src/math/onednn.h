/* SPDX-License-Identifier: MIT */
/* oneDNN's matrix products and convolutions on plain NHWC tensors, behind dl_gemm and dl_conv. In a
   build without oneDNN every function here says that it cannot. Not to be called inside a parallel
   region. */
#ifndef DL_MATH_ONEDNN_H
#define DL_MATH_ONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "math/window.h"

/* "2.6.3", or NULL in a build without it. */
const char *dl_onednn_version(void);

/* Has the processor instructions for products of bfloat16, and the library kernels with them? */
bool dl_onednn_has_bf16(void);

/* As dl_gemm; beta must be 0 or 1. False, and nothing done, if it cannot. A primitive is made when
   a shape is met for the first time, and kept. */
bool dl_onednn_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                    const float *a, const float *b, float beta, bool bf16, float *c);

/* As dl_gemm_activate, with relu or without. bf16: both factors are rounded to bfloat16. */
bool dl_onednn_gemm_activate(int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                             const float *bias, bool relu, bool bf16, float *c);

/* A dense layer whose weights[inputs][outputs] never change: they are put into the kernel's order
   when they are used for the first time. relu: max(0, x) in the same pass. NULL if it cannot. */
typedef struct dl_onednn_dense dl_onednn_dense;
dl_onednn_dense *dl_onednn_dense_new(int64_t inputs, int64_t outputs, bool bias, bool relu);
void dl_onednn_dense_free(dl_onednn_dense *dense);
/* y[rows][outputs] = x[rows][inputs] · weight + bias. False, and nothing done, if it cannot. */
bool dl_onednn_dense_forward(dl_onednn_dense *dense, int64_t rows, const float *x,
                             const float *weight, const float *bias, float *y);

/* The primitives of one convolution, for the batch sizes that it has met. */
typedef struct dl_onednn_conv dl_onednn_conv;

/* `batch`: the size it is made for at once. relu: max(0, x) in the same pass. bf16: the factors of
   all products are rounded to bfloat16. Not `training`: the
   weights are put into the kernel's order in the first forward pass, and may not change after it.
   NULL if it cannot. */
dl_onednn_conv *dl_onednn_conv_new(const dl_window *window, int filters, int batch, bool bias,
                                   bool relu, bool training, bool bf16);
void dl_onednn_conv_free(dl_onednn_conv *conv);
/* Bytes of scratch memory for any of the passes: the weights in the order that a kernel likes, and
   once more as they are; tensors as bfloat16. */
size_t dl_onednn_conv_scratch(const dl_onednn_conv *conv);
/* As the functions of math/conv.h. False, and nothing done, if it cannot for this batch. */
bool dl_onednn_conv_forward(dl_onednn_conv *conv, int batch, const float *x, const float *weight,
                            const float *bias, float *y, void *scratch);
bool dl_onednn_conv_backward_data(dl_onednn_conv *conv, int batch, const float *dy,
                                  const float *weight, float *dx, void *scratch);
bool dl_onednn_conv_backward_weights(dl_onednn_conv *conv, int batch, const float *x,
                                     const float *dy, float beta, float *dweight, void *scratch);

/* Frees what the library keeps. */
void dl_onednn_release(void);

#endif
