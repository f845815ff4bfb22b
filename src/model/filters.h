/* SPDX-License-Identifier: MIT */
/* A picture of the weights that look at images. */
#ifndef DL_MODEL_FILTERS_H
#define DL_MODEL_FILTERS_H

#include "image/grid.h"
#include "net/net.h"

/* The weights of the first layer of a net that is built, if it looks at images: of a conv2d each
   filter, of a dense layer behind nothing with weights each unit over the image. A tile each, 64 at
   most; grey is 0, black and white are as far from it as the tile's largest weight; of three
   channels as red, green and blue, else their mean. False: it has no such layer. *layer: which. */
bool dl_grid_filters(const dl_net *net, dl_grid *picture, const dl_layer **layer);

#endif
