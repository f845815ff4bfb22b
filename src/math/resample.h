/* SPDX-License-Identifier: MIT */
/* Enlarging NHWC images by whole factors, axis by axis: every output is a weighted sum of one, two
   or four adjacent inputs. */
#ifndef DL_MATH_RESAMPLE_H
#define DL_MATH_RESAMPLE_H

#include "base/memory.h"
#include "math/shape.h"

typedef enum { DL_NEAREST, DL_BILINEAR, DL_BICUBIC } dl_resample_method;

/* The names, in the order of the enum; NULL at the end. */
extern const char *const dl_resample_names[];

/* One axis: output o = sum over k < taps of weight[o * taps + k] * input index[o * taps + k]. */
typedef struct {
    int count, taps;
    int *index;
    float *weight;
} dl_taps;

typedef struct {
    int height, width, channels; /* of the input */
    dl_taps row, column;         /* for the height and the width of the output */
} dl_resample;

/* From images of `input`, rank 3, to factor[0] times its height and factor[1] times its width. The
   corners of the images, not the middles of their corner pixels, lie on each other (PyTorch's
   align_corners = false). Tables go into the arena. */
dl_resample dl_resample_plan(dl_shape input, const int64_t factor[2], dl_resample_method method,
                             dl_arena *arena);
/* x[batch][h][w][c] -> y[batch][h * factor][w * factor][c]; scratch[batch][w][c]. */
void dl_resample_forward(const dl_resample *r, int batch, const float *x, float *y, float *scratch);
/* dx is overwritten. */
void dl_resample_backward(const dl_resample *r, int batch, const float *dy, float *dx,
                          float *scratch);

#endif
