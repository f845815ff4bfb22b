/* Normalization of the channels of x[rows][channels] over the rows. */
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

/* y = f(x · factor + offset), a factor and an offset a channel. */
void dl_norm_apply(const dl_activation *f, int64_t rows, int64_t channels, const float *x,
                   const float *factor, const float *offset, float *y, void *scratch);

/* The backward pass of y = f(scale · (x - mean) · inverse + shift), inverse = 1 / sqrt(variance +
   epsilon), where mean and variance are the rows' own. dy becomes the gradient before f on the way;
   dx may be the same as dy, or NULL. dscale and dshift (+=) may be NULL, and scale (then it is 1).
 */
void dl_norm_backward(const dl_activation *f, int64_t rows, int64_t channels, const float *x,
                      const float *y, const float *mean, const float *inverse, const float *scale,
                      float *dy, float *dx, float *dscale, float *dshift, void *scratch);

#endif
