/* SPDX-License-Identifier: MIT */
/* Scaled dot-product attention of a sequence to itself, by several heads side by side: Vaswani et
   al., "Attention is all you need", NIPS 2017. Of each sample and head, with q, k, v: [T][d],
     S = q k' / sqrt(d),  A = softmax of each row of S,  out = A v,
   where under `causal` row t of S has columns 0..t alone, and under `dropout` out = (A · M) v with
   M the mask of dl_mask_random. Backward, of dO:
     dv = (A · M)' dO,  dA = (dO v') · M,  dS = A · (dA - rowsum(A · dA)),
     dq = dS k / sqrt(d),  dk = dS' q / sqrt(d).
   The heads of all samples run in parallel, each on one thread; the bits do not depend on how many
   there are. */
#ifndef DL_MATH_ATTENTION_H
#define DL_MATH_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"

typedef struct {
    int64_t heads, steps, width; /* width: d, the channels of a head */
    bool causal;
    double dropout;
    int threads; /* that the scratch memory is for: not more are used */
} dl_attention;

/* Floats of working memory that either pass needs. */
int64_t dl_attention_scratch(const dl_attention *a);
/* Floats of attention weights that a sample has. */
int64_t dl_attention_weights(const dl_attention *a);

/* qkv[batch][T][3][heads][d], of which q comes back divided by sqrt(d); out[batch][T][heads][d].
   weights[batch][dl_attention_weights] becomes A, in an order of this kernel's own, for the
   backward pass; NULL: there will be none. draw: of the mask; NULL: nothing is dropped. */
void dl_attention_forward(const dl_attention *a, int64_t batch, const dl_draw *draw, float *qkv,
                          float *weights, float *out, float *scratch);
/* qkv and weights as the forward pass left them, draw as it was; dout[batch][T][heads][d].
   dqkv[batch][T][3][heads][d] is overwritten. */
void dl_attention_backward(const dl_attention *a, int64_t batch, const dl_draw *draw,
                           const float *qkv, const float *weights, const float *dout, float *dqkv,
                           float *scratch);

#endif
