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

/* Images to draw. Three channels are red, green and blue; else their mean is drawn in grey. */
typedef struct {
    const float *value;
    int64_t tile, place, channel; /* strides: from a tile to the next, a pixel, a channel */
    dl_shape shape;               /* height, width, channels */
    bool weights; /* grey is 0, black and white are as far from it as the largest magnitude */
    bool bytes;   /* from 0 to 255; else, unless weights, from the smallest to the largest value */
} dl_tiles;

dl_grid dl_grid_draw(const dl_tiles *tiles, int count);
/* Tiles of x[count][shape], images in the units of the files; `bytes`: from 0 to 255, else each
   from its smallest to its largest value. */
dl_grid dl_grid_images(const float *x, int count, dl_shape shape, bool bytes);
/* A PNG file of *size bytes in memory, freed by the caller. */
unsigned char *dl_grid_png(const dl_grid *picture, int *size);
void dl_grid_free(dl_grid *picture);

#endif
