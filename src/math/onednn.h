/* SPDX-License-Identifier: MIT */
/* oneDNN's matrix products and convolutions on plain NHWC tensors, for dl_gemm and dl_conv. In
   builds without oneDNN all functions return false or NULL. Not to be called in a parallel
   region. */
#ifndef DL_MATH_ONEDNN_H
#define DL_MATH_ONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "math/window.h"

/* "2.6.3", or NULL in a build without it. */
const char *dl_onednn_version(void);

/* Whether processor and library have kernels for products of bfloat16. */
bool dl_onednn_has_bf16(void);

/* As dl_gemm; beta must be 0 or 1. False, and nothing done, if unsupported. Primitives are
   created at the first call with a shape, and cached. */
bool dl_onednn_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                    const float *a, const float *b, float beta, bool bf16, float *c);

/* As dl_gemm_activate, with or without relu. bf16: both factors are rounded to bfloat16. */
bool dl_onednn_gemm_activate(int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                             const float *bias, bool relu, bool bf16, float *c);

/* A dense layer with constant weights[inputs][outputs], packed at the first use. relu: max(0, x) in
   the same pass. NULL if unsupported. */
typedef struct dl_onednn_dense dl_onednn_dense;
dl_onednn_dense *dl_onednn_dense_new(int64_t inputs, int64_t outputs, bool bias, bool relu);
void dl_onednn_dense_free(dl_onednn_dense *dense);
/* y[rows][outputs] = x[rows][inputs] · weight + bias. False, and nothing done, if unsupported. */
bool dl_onednn_dense_forward(dl_onednn_dense *dense, int64_t rows, const float *x,
                             const float *weight, const float *bias, float *y);

/* The primitives of one convolution, cached by batch size. */
typedef struct dl_onednn_conv dl_onednn_conv;

/* `batch`: the size to prepare for. relu: max(0, x) in the same pass. bf16: the factors of all
   products are rounded to bfloat16. Without `training`, the weights are packed in the first forward
   pass and must not change after it. NULL if unsupported. */
dl_onednn_conv *dl_onednn_conv_new(const dl_window *window, int filters, int batch, bool bias,
                                   bool relu, bool training, bool bf16);
void dl_onednn_conv_free(dl_onednn_conv *conv);
/* Bytes of scratch memory of each pass. */
size_t dl_onednn_conv_scratch(const dl_onednn_conv *conv);
/* As the functions of math/conv.h. False, and nothing done, if unsupported for this batch. */
bool dl_onednn_conv_forward(dl_onednn_conv *conv, int batch, const float *x, const float *weight,
                            const float *bias, float *y, void *scratch);
bool dl_onednn_conv_backward_data(dl_onednn_conv *conv, int batch, const float *dy,
                                  const float *weight, float *dx, void *scratch);
bool dl_onednn_conv_backward_weights(dl_onednn_conv *conv, int batch, const float *x,
                                     const float *dy, float beta, float *dweight, void *scratch);

/* Frees the caches. */
void dl_onednn_release(void);

#endif
