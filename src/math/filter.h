/* SPDX-License-Identifier: MIT */
/* One small filter for all channels of an image. */
#ifndef DL_MATH_FILTER_H
#define DL_MATH_FILTER_H

#include <stdint.h>

typedef struct {
    int64_t height, width, channels;
    int64_t size[2];     /* of the filter: height, width */
    int64_t before[2];   /* rows above and columns left of the output pixel */
    const float *weight; /* [size[0]][size[1]], borrowed */
} dl_filter;

/* to[i][j][c] = sum over the taps (a, b) of weight[a][b] · from[i + a - before[0]][j + b -
   before[1]][c], for each of `batch` images [height][width][channels]; outside there are zeros. */
void dl_filter_images(const dl_filter *filter, int batch, const float *from, float *to);

#endif
