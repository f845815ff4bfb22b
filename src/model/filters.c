/* SPDX-License-Identifier: MIT */
#include "model/filters.h"

#include <string.h>

enum { MOST_TILES = 64, MOST_SIDE = 512 };

bool dl_filter_tiles(const dl_net *net, const dl_layer *layer, dl_tiles *tiles) {
    const dl_param *weight = &layer->params[0];
    const dl_shape in = layer->in[0].shape, shape = weight->shape;
    *tiles = (dl_tiles){.value = weight->value, .tile_stride = 1, .weights = true};
    int64_t units = dl_shape_channels(layer->out.shape);
    if (layer->shares >= 0 || (layer->in[0].shape.rank != 3 && net->input.rank != 3))
        return false;
    if (!strcmp(layer->type->kind.name, "conv2d") && shape.dim[0] * shape.dim[1] >= 4)
        tiles->shape = dl_shape3(shape.dim[0], shape.dim[1], shape.dim[2]);
    else if (!strcmp(layer->type->kind.name, "dense"))
        tiles->shape = in.rank == 3 ? in : net->input;
    else /* one weight per channel is no picture */
        return false;
    tiles->channel_stride = units;
    tiles->pixel_stride = units * tiles->shape.dim[2];
    return weight->count == dl_shape_size(tiles->shape) * units;
}

const dl_layer *dl_filter_first(const dl_net *net) {
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].param_count)
            return &net->layers[i];
    return NULL;
}

bool dl_grid_filters(const dl_net *net, dl_grid *picture, const dl_layer **first) {
    const dl_layer *layer = dl_filter_first(net);
    dl_tiles t;
    if (!layer || net->input.rank != 3 || net->input.dim[0] > MOST_SIDE ||
        net->input.dim[1] > MOST_SIDE || !dl_filter_tiles(net, layer, &t))
        return false;
    int units = dl_shape_channels(layer->out.shape);
    *picture = dl_grid_draw(&t, units < MOST_TILES ? units : MOST_TILES);
    *first = layer;
    return true;
}
