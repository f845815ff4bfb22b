/* SPDX-License-Identifier: MIT */
/* The shape of one sample; the batch is apart. Channels are always innermost. */
#ifndef DL_MATH_SHAPE_H
#define DL_MATH_SHAPE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { DL_LARGEST_RANK = 3 };

/* rank 1: C; rank 2: T, C; rank 3: H, W, C. Unused dims are 1. */
typedef struct {
    int rank, dim[4];
} dl_shape;

static inline dl_shape dl_shape1(int channels) {
    return (dl_shape){1, {channels, 1, 1, 1}};
}

static inline dl_shape dl_shape2(int steps, int channels) {
    return (dl_shape){2, {steps, channels, 1, 1}};
}

static inline dl_shape dl_shape3(int height, int width, int channels) {
    return (dl_shape){3, {height, width, channels, 1}};
}

/* The number of elements; 0 if any dim is not positive. */
static inline int64_t dl_shape_size(dl_shape shape) {
    int64_t size = 1;
    for (int i = 0; i < shape.rank; i++)
        size *= shape.dim[i] > 0 ? shape.dim[i] : 0;
    return size;
}

static inline bool dl_shape_equal(dl_shape a, dl_shape b) {
    bool equal = a.rank == b.rank;
    for (int i = 0; equal && i < a.rank; i++)
        equal = a.dim[i] == b.dim[i];
    return equal;
}

static inline int dl_shape_channels(dl_shape shape) {
    return shape.rank ? shape.dim[shape.rank - 1] : 0;
}

/* "28x28x1"; returns `out`. */
static inline char *dl_shape_text(char out[48], dl_shape shape) {
    int at = 0;
    out[0] = '\0';
    for (int i = 0; i < shape.rank; i++)
        at += snprintf(out + at, (size_t)(48 - at), i ? "x%d" : "%d", shape.dim[i]);
    return out;
}

#endif
