/* SPDX-License-Identifier: MIT */
/* Normalization of the channels of x[rows][channels] over the rows, and of groups of channels over
   the positions of each sample. */
#ifndef DL_MATH_NORM_H
#define DL_MATH_NORM_H

#include <stddef.h>
#include <stdint.h>

#include "math/activation.h"

/* Bytes of working memory for the functions below. */
size_t dl_norm_scratch(int64_t channels);

/* mean[channels] and variance[channels] (biased) in one pass. Blocks of rows are summed in float
   after subtraction of the first row, which avoids cancellation with large means, and the blocks in
   double; the bits do not depend on the threads. */
void dl_norm_statistics(int64_t rows, int64_t channels, const float *x, float *mean,
                        float *variance, void *scratch);

/* Operands of a normalization. */
typedef struct {
    const dl_activation *activation; /* f */
    int64_t rows, channels;
    const float *x;             /* [rows][channels] */
    float *y;                   /* [rows][channels] */
    float *mean, *inverse;      /* inverse = 1 / sqrt(variance + epsilon) */
    const float *scale, *shift; /* [channels] each; NULL: 1 and 0 */
    void *scratch;
} dl_norm;

/* Gradients. dy becomes dz, the gradient before f; dx may be dy or NULL; dscale and dshift (+=) may
   be NULL. */
typedef struct {
    float *dy, *dx;
    float *dscale, *dshift;
} dl_norm_gradients;

/* y = f(scale · x + shift); scale is not NULL; mean and inverse are unused. */
void dl_norm_apply(const dl_norm *n);
/* Its backward pass: dz = f'(y) dy, dx = scale · dz, dscale += sum of x dz over the rows (not
   NULL), dshift += sum of dz. */
void dl_norm_apply_backward(const dl_norm *n, const dl_norm_gradients *g);

/* The backward pass of y = f(scale · (x - mean) · inverse + shift), with mean[channels] and
   inverse[channels] of these rows. */
void dl_norm_backward(const dl_norm *n, const dl_norm_gradients *g);

/* Samples x[samples][positions][channels], whose channels form groups of adjacent ones. */
typedef struct {
    int64_t samples, positions, channels;
    int64_t groups; /* of a sample; divides channels */
} dl_norm_groups;

/* Bytes of working memory for the functions below. */
size_t dl_group_norm_scratch(const dl_norm_groups *g);

/* y = f(scale · (x - mean) · inverse + shift), where mean and inverse, [samples][groups] each, are
   computed over the positions and channels of a group; n->rows is unused. The bits do not depend on
   the threads. */
void dl_group_norm_forward(const dl_norm_groups *g, double epsilon, const dl_norm *n);
void dl_group_norm_backward(const dl_norm_groups *g, const dl_norm *n, const dl_norm_gradients *d);

#endif
