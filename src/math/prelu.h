/* SPDX-License-Identifier: MIT */
/* The rectifier with a learned slope a channel. */
#ifndef DL_MATH_PRELU_H
#define DL_MATH_PRELU_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of working memory for either pass. */
size_t dl_prelu_scratch(int64_t channels);
/* y = x where x > 0, else slope · x; x and y are [rows][channels]. */
void dl_prelu_forward(int64_t rows, int64_t channels, const float *x, const float *slope, float *y,
                      void *scratch);
/* dx (overwritten; may be NULL, or the same as dy) and dslope (+=), in an order that does not
   depend on the threads. */
void dl_prelu_backward(int64_t rows, int64_t channels, const float *x, const float *slope,
                       const float *dy, float *dx, float *dslope, void *scratch);

#endif
