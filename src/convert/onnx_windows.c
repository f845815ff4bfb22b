/* SPDX-License-Identifier: MIT */
/* Convolutions and pools. */
#include "convert/onnx_layer.h"

#include <string.h>

#include "math/window.h"

/* ---- windows ---- */

typedef struct {
    int axes; /* 2 of an image, 1 of a sequence */
    dl_window window;
} geometry;

/* Where the layer's window lies on `shape`, its input (of a transposed convolution its output). */
static int read_geometry(const dl_layer *l, dl_shape shape, const char *size_key, geometry *g,
                         dl_error *error) {
    bool line = shape.rank == 2;
    static const char *const keys[] = {"stride", "dilation", "padding"};
    int64_t pair[4][2] = {{1, 1}, {1, 1}, {1, 1}, {DL_PAD_VALID, DL_PAD_VALID}};
    for (int k = 0; k < 4; k++) {
        const int64_t *value = dl_onnx_field(l, k ? keys[k - 1] : size_key);
        for (int axis = line; value && axis < 2; axis++)
            pair[k][axis] = line ? value[0] : value[axis];
    }
    for (int axis = 0; axis < 2; axis++) /* of pools: left out means the size */
        pair[1][axis] = pair[1][axis] ? pair[1][axis] : pair[0][axis];
    g->axes = line ? 1 : 2;
    dl_shape image = line ? dl_shape3(1, shape.dim[0], shape.dim[1]) : shape;
    return dl_onnx_flag(l, "ceil_mode")
               ? dl_window_set_ceil(&g->window, image, pair[0], pair[1], pair[3], l->where, error)
               : dl_window_set_dilated(&g->window, image, pair[0], pair[1], pair[2], pair[3],
                                       l->where, error);
}

/* Pixels that the windows reach over the end of an axis; below 0: pixels that none reaches. */
static int64_t after(const dl_window *w, int axis) {
    int64_t in = axis ? w->width : w->height, out = axis ? w->out_width : w->out_height;
    return (out - 1) * w->stride[axis] + dl_window_extent(w, axis) - in - w->before[axis];
}

static void set_window(dl_onnx_export *x, Onnx__NodeProto *node, const geometry *g, bool dilates) {
    int64_t kernel[2], stride[2], dilation[2], pads[4];
    for (int i = 0; i < g->axes; i++) {
        int axis = i + 2 - g->axes;
        int64_t end = after(&g->window, axis);
        kernel[i] = g->window.kernel[axis];
        stride[i] = g->window.stride[axis];
        dilation[i] = g->window.dilation[axis];
        pads[i] = g->window.before[axis];
        pads[g->axes + i] = end > 0 ? end : 0;
    }
    dl_onnx_set_ints(&x->graph, node, "kernel_shape", g->axes, kernel);
    dl_onnx_set_ints(&x->graph, node, "strides", g->axes, stride);
    dl_onnx_set_ints(&x->graph, node, "pads", 2 * g->axes, pads);
    if (dilates)
        dl_onnx_set_ints(&x->graph, node, "dilations", g->axes, dilation);
}

/* A weight [kh][kw][a][b] as [b][a][kh][kw], or of a sequence [b][a][k]. */
static const char *kernel(dl_onnx_export *x, const dl_layer *l, const geometry *g, int64_t a,
                          int64_t b) {
    const float *w = dl_onnx_param(l, "weight")->value;
    int64_t area = (int64_t)g->window.kernel[0] * g->window.kernel[1];
    float *made = dl_onnx_scratch(x, area * a * b);
    for (int64_t p = 0; p < area; p++)
        for (int64_t i = 0; i < a; i++)
            for (int64_t o = 0; o < b; o++)
                made[(o * a + i) * area + p] = w[(p * a + i) * b + o];
    dl_shape shape = g->axes == 2
                         ? (dl_shape){4, {(int)b, (int)a, g->window.kernel[0], g->window.kernel[1]}}
                         : dl_shape3((int)b, (int)a, g->window.kernel[1]);
    return dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "weight"), shape, made);
}

static void add_bias(dl_onnx_export *x, const dl_layer *l, Onnx__NodeProto *node) {
    const dl_param *bias = dl_onnx_param(l, "bias");
    if (bias)
        dl_onnx_add_input(&x->graph, node,
                          dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "bias"),
                                         dl_shape1((int)bias->count), bias->value));
}

int dl_onnx_add_conv(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    geometry g;
    if (read_geometry(l, l->in[0].shape, "kernel", &g, error))
        return -1;
    int64_t groups = dl_onnx_int(l, "groups", 1), outputs = dl_shape_channels(l->out.shape);
    const char *weight = kernel(x, l, &g, g.window.channels / groups, outputs);
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "Conv", dl_onnx_layer_name(x, l, "conv"),
                                         dl_onnx_first(x, dl_onnx_input(x, l, 0)), weight, NULL);
    add_bias(x, l, node);
    set_window(x, node, &g, true);
    dl_onnx_set_int(&x->graph, node, "group", groups);
    return dl_onnx_finish(x, l, node->output[0], true, error);
}

/* Weight [kh][kw][channels][multiplier]: output c · multiplier + m sees channel c. */
int dl_onnx_add_depthwise(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    geometry g;
    if (read_geometry(l, l->in[0].shape, "kernel", &g, error))
        return -1;
    const char *weight = kernel(x, l, &g, 1, dl_shape_channels(l->out.shape));
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "Conv", dl_onnx_layer_name(x, l, "conv"),
                                         dl_onnx_first(x, dl_onnx_input(x, l, 0)), weight, NULL);
    add_bias(x, l, node);
    set_window(x, node, &g, true);
    dl_onnx_set_int(&x->graph, node, "group", g.window.channels);
    return dl_onnx_finish(x, l, node->output[0], true, error);
}

/* Weight [kh][kw][filters][channels]; ONNX has [channels][filters][kh][kw]. The window lies on the
   output. */
int dl_onnx_add_conv_transpose(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    geometry g;
    if (read_geometry(l, l->out.shape, "kernel", &g, error))
        return -1;
    const char *weight =
        kernel(x, l, &g, dl_shape_channels(l->out.shape), dl_shape_channels(l->in[0].shape));
    Onnx__NodeProto *node =
        dl_onnx_node(&x->graph, "ConvTranspose", dl_onnx_layer_name(x, l, "conv"),
                     dl_onnx_first(x, dl_onnx_input(x, l, 0)), weight, NULL);
    add_bias(x, l, node);
    set_window(x, node, &g, false);
    int64_t more[2];
    for (int axis = 0; axis < 2; axis++) {
        int64_t end = after(&g.window, axis);
        more[axis] = end < 0 ? -end : 0;
    }
    dl_onnx_set_ints(&x->graph, node, "output_padding", 2, more);
    return dl_onnx_finish(x, l, node->output[0], true, error);
}

static int add_pool(dl_onnx_export *x, const dl_layer *l, const char *op, dl_error *error) {
    geometry g;
    if (read_geometry(l, l->in[0].shape, "size", &g, error))
        return -1;
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, op, dl_onnx_layer_name(x, l, "pool"),
                                         dl_onnx_first(x, dl_onnx_input(x, l, 0)), NULL);
    set_window(x, node, &g, false);
    return dl_onnx_finish(x, l, node->output[0], true, error);
}

int dl_onnx_add_max_pool(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    return add_pool(x, l, "MaxPool", error);
}

int dl_onnx_add_avg_pool(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    return add_pool(x, l, "AveragePool", error);
}

static int add_global(dl_onnx_export *x, const dl_layer *l, const char *op, dl_error *error) {
    int64_t channels = dl_shape_channels(l->in[0].shape);
    const char *pooled = dl_onnx_layer_name(x, l, "pool");
    dl_onnx_node(&x->graph, op, pooled, dl_onnx_first(x, dl_onnx_input(x, l, 0)), NULL);
    return dl_onnx_finish(x, l,
                          dl_onnx_reshape(x, pooled, dl_onnx_layer_name(x, l, "row"), 1, &channels),
                          false, error);
}

int dl_onnx_add_global_avg(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    return add_global(x, l, "GlobalAveragePool", error);
}

int dl_onnx_add_global_max(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    return add_global(x, l, "GlobalMaxPool", error);
}

/* A fixed kernel [height][width] on each channel, with zeros around the image. */
int dl_onnx_add_filter(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    const int64_t *size = dl_onnx_field(l, "size");
    int channels = dl_shape_channels(l->out.shape);
    int64_t area = size[0] * size[1], pads[4];
    float *made = dl_onnx_scratch(x, area * channels);
    for (int64_t i = 0; i < area * channels; i++)
        made[i] = l->fixed[i % area];
    for (int i = 0; i < 2; i++) {
        pads[i] = (size[i] - 1) / 2;
        pads[i + 2] = size[i] / 2;
    }
    const char *weight =
        dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "kernel"),
                       (dl_shape){4, {channels, 1, (int)size[0], (int)size[1]}}, made);
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "Conv", dl_onnx_layer_name(x, l, "filter"),
                                         dl_onnx_first(x, dl_onnx_input(x, l, 0)), weight, NULL);
    dl_onnx_set_ints(&x->graph, node, "pads", 4, pads);
    dl_onnx_set_int(&x->graph, node, "group", channels);
    return dl_onnx_finish(x, l, node->output[0], true, error);
}

/* MaxUnpool at the positions that the pool gives as its second output. */
int dl_onnx_add_unpool(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    const dl_layer *pool = &x->net->layers[x->net->sources[l->index][1]];
    const char *name = dl_arena_printf(&x->graph.arena, "%s.pool", pool->name);
    Onnx__NodeProto *node = NULL;
    geometry g;
    for (size_t i = 0; i < x->graph.proto.n_node && !node; i++)
        if (!strcmp(x->graph.proto.node[i]->output[0], name))
            node = x->graph.proto.node[i];
    if (!node || read_geometry(pool, pool->in[0].shape, "size", &g, error) || g.axes != 2 ||
        g.window.stride[0] < g.window.kernel[0] || g.window.stride[1] < g.window.kernel[1])
        return dl_fail(error, DL_USAGE, "%s: ONNX has unpool of a max_pool without overlap alone",
                       l->where);
    if (node->n_output == 1)
        dl_onnx_add_second_output(&x->graph, node, dl_onnx_layer_name(x, pool, "places"));
    const char *places = node->output[1];
    const char *size = dl_onnx_unary(x, "Shape", dl_onnx_first(x, dl_onnx_input(x, pool, 0)),
                                     dl_onnx_name(x, l->name, "size"));
    Onnx__NodeProto *made =
        dl_onnx_node(&x->graph, "MaxUnpool", dl_onnx_layer_name(x, l, "unpool"),
                     dl_onnx_first(x, dl_onnx_input(x, l, 0)), places, size, NULL);
    set_window(x, made, &g, false);
    return dl_onnx_finish(x, l, made->output[0], true, error);
}
