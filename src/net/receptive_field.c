/* SPDX-License-Identifier: MIT */
/* From the layer back to the data: each element of a layer's output marks the elements of its
   inputs that it depends on. Along an axis this is exact, as windows are products of their axes. */
#include "net/receptive_field.h"

#include <stdlib.h>

/* Axes of a shape that have positions; a row of numbers has one. */
static int axis_count(dl_shape shape) {
    return shape.rank == 3 ? 2 : 1;
}

static bool same_positions(dl_shape in, dl_shape out) {
    bool same = out.rank > 1 && axis_count(in) == axis_count(out);
    for (int axis = 0; same && axis < axis_count(out); axis++)
        same = in.dim[axis] == out.dim[axis];
    return same;
}

static dl_extent extent_of_input(const dl_layer *layer, int k, int axis, int out) {
    if (layer->type->reach && layer->in[k].shape.rank > 1)
        return layer->type->reach(layer, k, axis, out);
    if (same_positions(layer->in[k].shape, layer->out.shape))
        return (dl_extent){out, out, 1};
    return dl_layer_reach_all(layer, k, axis, out);
}

/* The elements of a tensor along each axis. */
typedef struct {
    bool *axis[2];
} marks;

/* `from` are those of the output along the axis of the same number, or 0. */
static void mark_input(const dl_layer *layer, int k, const marks *from, marks *to) {
    const dl_shape in = layer->in[k].shape, out = layer->out.shape;
    for (int axis = 0; axis < axis_count(in); axis++) {
        int own = axis < axis_count(out) ? axis : 0;
        for (int o = 0; o < out.dim[own]; o++) {
            dl_extent e = {0, -1, 1};
            if (from->axis[own][o])
                e = extent_of_input(layer, k, axis, o);
            for (int i = e.first; i <= e.last && i < in.dim[axis]; i += e.step)
                if (i >= 0)
                    to->axis[axis][i] = true;
        }
    }
}

static marks no_marks(dl_arena *arena, dl_shape shape) {
    marks m;
    for (int axis = 0; axis < 2; axis++)
        m.axis[axis] = dl_arena_alloc(arena, sizeof(bool) * (size_t)shape.dim[axis]);
    return m;
}

static dl_extent hull(const bool *marked, int count) {
    dl_extent e = {count, -1, 1};
    for (int i = 0; i < count; i++)
        if (marked[i]) {
            e.first = i < e.first ? i : e.first;
            e.last = i;
        }
    return e;
}

void dl_receptive_field(const dl_net *net, int layer, const int at[2], dl_extent field[2]) {
    dl_arena arena = {0};
    marks *tensors = dl_arena_alloc(&arena, sizeof *tensors * (size_t)(layer + 2)), *data = tensors;
    *data = no_marks(&arena, net->input);
    for (int i = 0; i <= layer; i++)
        tensors[i + 1] = no_marks(&arena, net->layers[i].out.shape);
    const dl_shape out = net->layers[layer].out.shape;
    for (int axis = 0; axis < axis_count(out); axis++)
        tensors[layer + 1].axis[axis][out.rank == 1 ? 0 : at[axis]] = true;
    for (int i = layer; i >= 0; i--)
        for (int k = 0; k < net->layers[i].input_count; k++)
            mark_input(&net->layers[i], k, &tensors[i + 1], &tensors[net->sources[i][k] + 1]);
    for (int axis = 0; axis < 2; axis++)
        field[axis] = axis < axis_count(net->input) ? hull(data->axis[axis], net->input.dim[axis])
                                                    : (dl_extent){0, 0, 1};
    dl_arena_free(&arena);
}
