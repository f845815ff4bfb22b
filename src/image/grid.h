/* SPDX-License-Identifier: MIT */
/* Pictures of what a net sees and of the weights that see it first, as grids of tiles. */
#ifndef DL_IMAGE_GRID_H
#define DL_IMAGE_GRID_H

#include "model/model.h"

typedef struct {
    int height, width;
    unsigned char *pixels; /* [height][width][3], owned */
} dl_grid;

/* The weights of the first layer of a net that is built, if it looks at images: of a conv2d each
   filter, of a dense layer behind nothing with weights each unit over the image. A tile each, 64 at
   most; grey is 0, black and white are as far from it as the tile's largest weight; of three
   channels as red, green and blue, else their mean. False: it has no such layer. *layer: which. */
bool dl_grid_filters(const dl_net *net, dl_grid *picture, const dl_layer **layer);
/* Tiles of x[count][shape], images in the units of the files; `bytes`: from 0 to 255, else each
   from its smallest to its largest value. */
dl_grid dl_grid_images(const float *x, int count, dl_shape shape, bool bytes);
/* A PNG file of *size bytes in memory, freed by the caller. */
unsigned char *dl_grid_png(const dl_grid *picture, int *size);
void dl_grid_free(dl_grid *picture);

#endif
