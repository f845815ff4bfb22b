/* SPDX-License-Identifier: MIT */
#include "convert/onnx_export.h"

#include <string.h>

const char *dl_onnx_name(dl_onnx_export *x, const char *prefix, const char *suffix) {
    const char *name = dl_arena_printf(&x->graph.arena, "%s.%s", prefix, suffix), *unique = name;
    for (int k = 2; dl_string_set_find(&x->graph.names, unique) >= 0; k++)
        unique = dl_arena_printf(&x->graph.arena, "%s_%d", name, k);
    dl_string_set_add(&x->graph.names, unique);
    return unique;
}

bool dl_onnx_is_row(dl_shape shape) {
    return shape.rank == 1;
}

/* [N, C, …] to [N, …, C], or back. */
static const char *transpose(dl_onnx_export *x, const char *in, int rank, bool to_first) {
    static const int64_t orders[2][2][4] = {{{0, 2, 1}, {0, 2, 3, 1}}, {{0, 2, 1}, {0, 3, 1, 2}}};
    const char *name = dl_onnx_name(x, in, to_first ? "channels_first" : "channels_last");
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "Transpose", name, in, NULL);
    dl_onnx_set_ints(&x->graph, node, "perm", rank + 1, orders[to_first][rank - 2]);
    return name;
}

const char *dl_onnx_first(dl_onnx_export *x, dl_onnx_value *value) {
    if (!value->first)
        value->first = dl_onnx_is_row(value->shape)
                           ? value->last
                           : transpose(x, value->last, value->shape.rank, true);
    return value->first;
}

const char *dl_onnx_last(dl_onnx_export *x, dl_onnx_value *value) {
    if (!value->last)
        value->last = dl_onnx_is_row(value->shape)
                          ? value->first
                          : transpose(x, value->first, value->shape.rank, false);
    return value->last;
}

const char *dl_onnx_reshape(dl_onnx_export *x, const char *in, const char *out, int rank,
                            const int64_t *dims) {
    int64_t shape[5] = {-1};
    memcpy(shape + 1, dims, sizeof *dims * (size_t)rank);
    const char *wanted = dl_onnx_ints(&x->graph, dl_onnx_name(x, out, "shape"), rank + 1, shape);
    dl_onnx_node(&x->graph, "Reshape", out, in, wanted, NULL);
    return out;
}

const char *dl_onnx_by_channel(dl_onnx_export *x, const char *name, dl_shape value, bool first,
                               const float *numbers) {
    dl_shape shape = dl_shape1(dl_shape_channels(value));
    shape.rank = first ? value.rank : 1;
    for (int i = 1; i < shape.rank; i++)
        shape.dim[i] = 1;
    return dl_onnx_floats(&x->graph, name, shape, numbers);
}
