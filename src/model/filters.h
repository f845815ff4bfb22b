/* SPDX-License-Identifier: MIT */
/* Pictures of the first layer's filters. */
#ifndef DL_MODEL_FILTERS_H
#define DL_MODEL_FILTERS_H

#include "image/grid.h"
#include "net/net.h"

/* Draws the weights of the first layer with parameters of a built net whose input is an image: one
   tile per filter of a conv2d or per unit of a dense layer, at most 64. Gray is 0; black and white
   are minus and plus the tile's largest magnitude. Three channels are red, green and blue, others
   are averaged. *layer: the layer. False: it is of another type, or the input is no image. */
bool dl_grid_filters(const dl_net *net, dl_grid *picture, const dl_layer **layer);

/* The weights of a layer of a built net as pictures, one per unit: kernels of a conv2d, or a dense
   layer in the shape of its image, or of the net's if it has as many values. False: no pictures. */
bool dl_filter_tiles(const dl_net *net, const dl_layer *layer, dl_tiles *tiles);
/* The first layer with parameters; NULL: none. */
const dl_layer *dl_filter_first(const dl_net *net);

#endif
