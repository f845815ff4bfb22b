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

/* y = f(x · factor + offset), a factor and an offset a channel; offset may be NULL. */
void dl_norm_apply(const dl_activation *f, int64_t rows, int64_t channels, const float *x,
                   const float *factor, const float *offset, float *y, void *scratch);
/* Its backward pass, where factor and offset are learned: dz = f'(y) dy (dy becomes it),
   dx = factor · dz (may be the same as dy, or NULL), dfactor += the sum of x dz over the rows,
   doffset += that of dz (may be NULL). */
void dl_norm_apply_backward(const dl_activation *f, int64_t rows, int64_t channels, const float *x,
                            const float *y, const float *factor, float *dy, float *dx,
                            float *dfactor, float *doffset, void *scratch);

/* The backward pass of y = f(scale · (x - mean) · inverse + shift), inverse = 1 / sqrt(variance +
   epsilon), where mean and variance are the rows' own. dy becomes the gradient before f on the way;
   dx may be the same as dy, or NULL. dscale and dshift (+=) may be NULL, and scale (then it is 1).
 */
void dl_norm_backward(const dl_activation *f, int64_t rows, int64_t channels, const float *x,
                      const float *y, const float *mean, const float *inverse, const float *scale,
                      float *dy, float *dx, float *dscale, float *dshift, void *scratch);

/* Samples x[samples][places][channels], whose channels fall into groups of neighbours. */
typedef struct {
    int64_t samples, places, channels;
    int64_t groups; /* of a sample; divides channels */
} dl_norm_groups;

/* Bytes of working memory for the functions below. */
size_t dl_group_norm_scratch(const dl_norm_groups *g);

/* y = f(scale · (x - mean) · inverse + shift), where mean and inverse = 1 / sqrt(variance +
   epsilon), both [samples][groups], are computed over a group's places and channels; scale and
   shift, [channels] each, may be NULL. The bits do not depend on the threads. */
void dl_group_norm_forward(const dl_norm_groups *g, const dl_activation *f, double epsilon,
                           const float *x, const float *scale, const float *shift, float *y,
                           float *mean, float *inverse, void *scratch);
/* Its backward pass. dy becomes the gradient before f on the way; dx may be the same as dy, or
   NULL. dscale and dshift (+=) may be NULL, and scale. */
void dl_group_norm_backward(const dl_norm_groups *g, const dl_activation *f, const float *x,
                            const float *y, const float *mean, const float *inverse,
                            const float *scale, float *dy, float *dx, float *dscale, float *dshift,
                            void *scratch);

#endif
