/* SPDX-License-Identifier: MIT */
#include "model/filters.h"

#include <string.h>

enum { MOST_TILES = 64, MOST_SIDE = 512 };

bool dl_grid_filters(const dl_net *net, dl_grid *picture, const dl_layer **first) {
    const dl_layer *layer = net->layers;
    while (layer < net->layers + net->layer_count && !layer->param_count)
        layer++;
    if (layer == net->layers + net->layer_count || net->input.rank != 3 || layer->shares >= 0 ||
        net->input.dim[0] > MOST_SIDE || net->input.dim[1] > MOST_SIDE)
        return false;
    const dl_param *weight = &layer->params[0];
    const char *type = layer->type->kind.name;
    dl_tiles t = {.value = weight->value, .tile_stride = 1, .weights = true};
    int64_t units = dl_shape_channels(layer->out.shape);
    if (!strcmp(type, "conv2d"))
        t.shape = dl_shape3(weight->shape.dim[0], weight->shape.dim[1], weight->shape.dim[2]);
    else if (!strcmp(type, "dense") &&
             dl_shape_size(layer->in[0].shape) == dl_shape_size(net->input))
        t.shape = net->input;
    else
        return false;
    if (weight->count != dl_shape_size(t.shape) * units ||
        (!strcmp(type, "conv2d") && weight->shape.dim[0] * weight->shape.dim[1] < 4))
        return false; /* one weight per channel is no picture */
    t.channel_stride = units;
    t.pixel_stride = units * t.shape.dim[2];
    *picture = dl_grid_draw(&t, units < MOST_TILES ? (int)units : MOST_TILES);
    *first = layer;
    return true;
}
