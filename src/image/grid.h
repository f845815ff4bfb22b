/* SPDX-License-Identifier: MIT */
/* Grids of small images. */
#ifndef DL_IMAGE_GRID_H
#define DL_IMAGE_GRID_H

#include <stdbool.h>

#include "math/shape.h"

typedef struct {
    int height, width;
    unsigned char *pixels; /* [height][width][3], owned */
} dl_grid;

/* Images to draw. Three channels are RGB; of any other number the mean is drawn in gray. */
typedef struct {
    const float *value;
    int64_t tile_stride, pixel_stride, channel_stride; /* in floats */
    dl_shape shape;                                    /* height, width, channels */
    bool weights; /* gray is 0; black and white are minus and plus the largest magnitude */
    bool bytes; /* black to white is 0 to 255; else, unless weights, minimum to maximum of a tile */
} dl_tiles;

dl_grid dl_grid_draw(const dl_tiles *tiles, int count);
/* Tiles of x[count][shape], in the units of the files; `bytes` as in dl_tiles. */
dl_grid dl_grid_images(const float *x, int count, dl_shape shape, bool bytes);
/* A PNG file of *size bytes in memory, freed by the caller. */
unsigned char *dl_grid_png(const dl_grid *picture, int *size);
void dl_grid_free(dl_grid *picture);

#endif
