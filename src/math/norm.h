/* SPDX-License-Identifier: MIT */
/* Normalization: of the channels of x[rows][channels] over the rows, and of groups of channels over
   the places of each sample. */
#ifndef DL_MATH_NORM_H
#define DL_MATH_NORM_H

#include <stddef.h>
#include <stdint.h>

#include "math/activation.h"

/* Bytes of working memory for the functions below. */
size_t dl_norm_scratch(int64_t channels);

/* mean[channels] and variance[channels] (that of the rows themselves, divided by their number) in
   one sweep. Blocks of rows are summed in float around the first row's values, so that a large mean
   does not eat the variance, and added up in double; the bits do not depend on the threads. */
void dl_norm_statistics(int64_t rows, int64_t channels, const float *x, float *mean,
                        float *variance, void *scratch);

/* What a normalization works on. */
typedef struct {
    const dl_activation *activation; /* f */
    int64_t rows, channels;
    const float *x;             /* [rows][channels] */
    float *y;                   /* likewise */
    float *mean, *inverse;      /* inverse = 1 / sqrt(variance + epsilon) */
    const float *scale, *shift; /* [channels] each; NULL: 1 and 0 */
    void *scratch;
} dl_norm;

/* Its gradients. dy becomes dz, the gradient before f; dx may be the same as dy, or NULL; dscale
   and dshift (+=) may be NULL. */
typedef struct {
    float *dy, *dx;
    float *dscale, *dshift;
} dl_norm_gradients;

/* y = f(scale · x + shift); the scale is not NULL; no mean and no inverse. */
void dl_norm_apply(const dl_norm *n);
/* Its backward pass, where scale and shift are learned: dz = f'(y) dy, dx = scale · dz,
   dscale += the sum of x dz over the rows (not NULL), dshift += that of dz. */
void dl_norm_apply_backward(const dl_norm *n, const dl_norm_gradients *g);

/* The backward pass of y = f(scale · (x - mean) · inverse + shift), where mean[channels] and
   inverse[channels] are the rows' own. */
void dl_norm_backward(const dl_norm *n, const dl_norm_gradients *g);

/* Samples x[samples][places][channels], whose channels fall into groups of neighbours. */
typedef struct {
    int64_t samples, places, channels;
    int64_t groups; /* of a sample; divides channels */
} dl_norm_groups;

/* Bytes of working memory for the functions below. */
size_t dl_group_norm_scratch(const dl_norm_groups *g);

/* y = f(scale · (x - mean) · inverse + shift), where mean and inverse, [samples][groups] each, are
   computed over a group's places and channels; n->rows is not read. The bits do not depend on the
   threads. */
void dl_group_norm_forward(const dl_norm_groups *g, double epsilon, const dl_norm *n);
void dl_group_norm_backward(const dl_norm_groups *g, const dl_norm *n, const dl_norm_gradients *d);

#endif
