/* SPDX-License-Identifier: MIT */
/* Convolutions, pools and what else changes the size of an image, from ONNX. */
#include <string.h>

#include "convert/onnx_import.h"

/* ---- windows ---- */

/* The axes of space, of an image (2) or a sequence (1). */
typedef struct {
    int axes;
    int64_t kernel[2], stride[2], dilation[2], before[2], after[2];
    bool ceil;
} window;

static bool in_range(const window *w) {
    bool good = true;
    for (int i = 0; i < w->axes; i++)
        good = good && w->kernel[i] > 0 && w->kernel[i] < 65536 && w->stride[i] > 0 &&
               w->stride[i] < 65536 && w->dilation[i] > 0 && w->dilation[i] < 65536 &&
               w->before[i] >= 0 && w->before[i] < 65536 && w->after[i] >= 0 && w->after[i] < 65536;
    return good;
}

static int64_t extent(const window *w, int i) {
    return (w->kernel[i] - 1) * w->dilation[i] + 1;
}

/* Of an axis of that size, with as many outputs as strides. */
static int64_t same_padding(const window *w, int i, int64_t size) {
    int64_t all = (size - 1) / w->stride[i] * w->stride[i] + extent(w, i) - size;
    return all > 0 ? all : 0;
}

static int64_t output_size(const window *w, int i, int64_t in, bool ceil) {
    int64_t room = in + w->before[i] + w->after[i] - extent(w, i);
    int64_t out = room < 0 ? 0 : (room + (ceil ? w->stride[i] - 1 : 0)) / w->stride[i] + 1;
    return ceil && (out - 1) * w->stride[i] >= in + w->before[i] ? out - 1 : out;
}

/* Padding of an end that no window reaches may be any. */
static void even_ends(window *w, const int64_t *sizes) {
    for (int i = 0; i < w->axes && !w->ceil; i++) {
        int64_t out = output_size(w, i, sizes[i], false), was = w->after[i];
        w->after[i] = w->before[i];
        if (output_size(w, i, sizes[i], false) != out)
            w->after[i] = was;
    }
}

/* `sizes`: of the input; `kernel`: of the weight, or NULL. */
static int read_window(dl_onnx_import *in, int axes, const int64_t *sizes, const int64_t *kernel,
                       window *w) {
    static const char *const lists[] = {"kernel_shape", "strides", "dilations"};
    int64_t values[4];
    *w = (window){axes, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, false};
    int64_t *fields[] = {w->kernel, w->stride, w->dilation};
    for (int k = 0; k < 3; k++) {
        int count = dl_onnx_get_ints(in, lists[k], 4, values);
        if (dl_onnx_attribute(in, lists[k]) ? count != axes : !k && !kernel)
            return dl_onnx_refuse(in, "%s must have %d numbers", lists[k], axes);
        for (int i = 0; i < axes; i++)
            fields[k][i] = count ? values[i] : !k ? kernel[i] : 1;
    }
    if (kernel && memcmp(kernel, w->kernel, sizeof *kernel * (size_t)axes))
        return dl_onnx_refuse(in, "kernel_shape is not that of the weight");
    int count = dl_onnx_get_ints(in, "pads", 4, values);
    for (int i = 0; count == 2 * axes && i < axes; i++) {
        w->before[i] = values[i];
        w->after[i] = values[axes + i];
    }
    if ((dl_onnx_attribute(in, "pads") && count != 2 * axes) || !in_range(w))
        return dl_onnx_refuse(in, "its window is not supported (pads must not be negative)");
    const char *automatic = dl_onnx_get_text(in, "auto_pad", "NOTSET");
    w->ceil = dl_onnx_get_int(in, "ceil_mode", 0);
    if (!strcmp(automatic, "NOTSET") || !strcmp(automatic, "VALID")) {
        if (strcmp(in->node->op_type, "ConvTranspose"))
            even_ends(w, sizes);
        return 0;
    }
    for (int i = 0; i < axes; i++) {
        int64_t all = same_padding(w, i, sizes[i]);
        w->before[i] = !strcmp(automatic, "SAME_LOWER") ? all - all / 2 : all / 2;
        w->after[i] = all - w->before[i];
    }
    return 0;
}

/* Whether padding = "same" puts the windows there. */
static bool is_same(const window *w, const int64_t *sizes) {
    bool same = !w->ceil;
    for (int i = 0; i < w->axes; i++) {
        int64_t out = (sizes[i] + w->stride[i] - 1) / w->stride[i];
        same = same && output_size(w, i, sizes[i], false) == out &&
               w->before[i] == same_padding(w, i, sizes[i]) / 2;
    }
    return same;
}

static bool is_even(const window *w) {
    return w->before[0] == w->after[0] && (w->axes == 1 || w->before[1] == w->after[1]);
}

/* key = a; or key = (a, b); unless it is what the option is without. */
static void add_pair(dl_text *text, const char *key, int axes, const int64_t *v, int64_t usual) {
    if (v[0] == usual && (axes == 1 || v[1] == usual))
        return;
    if (axes == 1 || v[0] == v[1])
        dl_text_add(text, "%s = %lld; ", key, (long long)v[0]);
    else
        dl_text_add(text, "%s = (%lld, %lld); ", key, (long long)v[0], (long long)v[1]);
}

static void add_window(dl_text *text, const window *w, const char *size, bool same) {
    add_pair(text, size, w->axes, w->kernel, -1);
    add_pair(text, "stride", w->axes, w->stride, !strcmp(size, "kernel") ? 1 : -1);
    add_pair(text, "dilation", w->axes, w->dilation, 1);
    if (same)
        dl_text_add(text, "padding = \"same\"; ");
    else
        add_pair(text, "padding", w->axes, w->before, 0);
}

/* A layer "pad" before the layer; the window has none then. */
static int pad_first(dl_onnx_import *in, int source, window *w) {
    dl_shape shape = dl_onnx_shape_of(in, source);
    if (w->axes == 1)
        return dl_onnx_refuse(in, "a sequence padded with %lld and %lld steps has no layer",
                              (long long)w->before[0], (long long)w->after[0]);
    for (int i = 0; i < 2; i++)
        shape.dim[i] += (int)(w->before[i] + w->after[i]);
    dl_onnx_layer *pad = dl_onnx_new_layer(in, "pad", NULL, source, shape);
    if (!pad)
        return -1;
    static const char *const keys[] = {"height", "width"};
    for (int i = 0; i < 2; i++) {
        dl_text_add(&pad->options, "%s = (%lld, %lld); ", keys[i], (long long)w->before[i],
                    (long long)w->after[i]);
        w->before[i] = w->after[i] = 0;
    }
    return 0;
}

/* The output's shape and view. */
static dl_shape sized(const dl_onnx_view *view, const window *w, int64_t channels,
                      dl_onnx_view *made) {
    int64_t dims[4] = {view->dim[0], channels};
    dl_shape shape = {w->axes + 1, {1, 1, 1, 1}};
    for (int i = 0; i < w->axes; i++) {
        dims[i + 2] = output_size(w, i, view->dim[i + 2], w->ceil);
        dims[i + 2] = dims[i + 2] > INT32_MAX ? 0 : dims[i + 2];
        shape.dim[i] = (int)dims[i + 2];
    }
    shape.dim[w->axes] = (int)channels;
    static const int places[2][4] = {{0, 2, 1}, {0, 3, 1, 2}};
    *made = dl_onnx_view_of(w->axes + 2, dims, places[w->axes - 1]);
    return shape;
}

/* ---- convolution ---- */

/* [o][i][area] of the file to [area][i][o]. */
static void put_kernel(const dl_onnx_constant *c, int64_t o, int64_t i, int64_t area, float *made) {
    for (int64_t a = 0; a < o; a++)
        for (int64_t b = 0; b < i; b++)
            for (int64_t p = 0; p < area; p++)
                made[(p * i + b) * o + a] = (float)dl_onnx_element(c, (a * i + b) * area + p);
}

static int add_bias(dl_onnx_import *in, dl_onnx_layer *layer, int64_t count) {
    const dl_onnx_constant *bias = dl_onnx_constant_of(in, 2);
    layer->activates = true;
    layer->takes_bias = !bias;
    if (!bias)
        return 0;
    if (bias->count != count)
        return dl_onnx_refuse(in, "its bias has %lld values", (long long)bias->count);
    float *made = dl_onnx_add_tensor(in, layer, "bias", count);
    for (int64_t i = 0; i < count; i++)
        made[i] = (float)dl_onnx_element(bias, i);
    return 0;
}

/* The weight [outputs][inputs][…], or NULL and an error. */
static const dl_onnx_constant *kernel_of(dl_onnx_import *in, int rank) {
    const dl_onnx_constant *weight = dl_onnx_constant_of(in, 1);
    bool bias = in->node->n_input < 3 || !*in->node->input[2] || dl_onnx_constant_of(in, 2);
    bool good = weight && !weight->uniform && weight->rank == rank && bias && weight->count > 0 &&
                weight->dim[0] <= 65536 && weight->dim[1] <= INT32_MAX;
    in->copied += good ? weight->count : 0;
    if (good && in->copied < (int64_t)1 << 33)
        return weight;
    dl_onnx_refuse(in, "its weight and bias must be constants with the axes of its input");
    return NULL;
}

/* A node Pad before a convolution becomes part of its window. */
static int fold_pad(const dl_onnx_import *in, int source, int uses, dl_onnx_view *view, window *w) {
    const dl_onnx_layer *pad = source < 0 ? NULL : &in->layers[source];
    if (!pad || !pad->pads || uses > 1)
        return source;
    for (int i = 0; i < 2; i++) {
        w->before[i] += pad->before[i];
        w->after[i] += pad->after[i];
        view->dim[i + 2] -= pad->before[i] + pad->after[i];
    }
    even_ends(w, view->dim + 2);
    return pad->inputs[0];
}

int dl_onnx_in_conv(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    int source = dl_onnx_arrange_channels(in, value), axes = value->view.rank - 2;
    const dl_onnx_constant *weight = source == -2 ? NULL : kernel_of(in, axes + 2);
    window w;
    if (!weight || read_window(in, axes, value->view.dim + 2, weight->dim + 2, &w))
        return -1;
    dl_onnx_view from = value->view;
    source = fold_pad(in, source, value->uses, &from, &w);
    int64_t channels = value->view.dim[1], groups = dl_onnx_get_int(in, "group", 1);
    int64_t filters = weight->dim[0], each = weight->dim[1];
    if (groups < 1 || channels % groups || filters % groups || each != channels / groups)
        return dl_onnx_refuse(in, "%lld channels in %lld groups do not match its weight",
                              (long long)channels, (long long)groups);
    bool deep = axes == 2 && groups > 1 && groups == channels;
    dl_onnx_view view;
    dl_shape shape = sized(&from, &w, filters, &view);
    bool same = !is_even(&w) && is_same(&w, from.dim + 2);
    if (!same && !is_even(&w)) {
        if (pad_first(in, source, &w))
            return -1;
        source = in->layer_count - 1;
    }
    const char *type = deep ? "depthwise_conv2d" : axes == 2 ? "conv2d" : "conv1d";
    dl_onnx_layer *layer = dl_onnx_new_layer(in, type, in->node->input[1], source, shape);
    if (!layer)
        return -1;
    if (!deep)
        dl_text_add(&layer->options, "filters = %lld; ", (long long)filters);
    else if (filters != channels)
        dl_text_add(&layer->options, "multiplier = %lld; ", (long long)(filters / channels));
    add_window(&layer->options, &w, "kernel", same);
    if (groups > 1 && !deep)
        dl_text_add(&layer->options, "groups = %lld; ", (long long)groups);
    put_kernel(weight, filters, each, weight->count / (filters * each),
               dl_onnx_add_tensor(in, layer, "weight", weight->count));
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    return add_bias(in, layer, filters);
}

/* Where padding = "same" of conv2d_transpose begins. */
static bool is_same_transposed(const window *w, const int64_t *sizes, const int64_t *out) {
    bool same = true;
    for (int i = 0; i < 2; i++) {
        int64_t all = (sizes[i] - 1) * w->stride[i] + w->kernel[i] - out[i];
        same = same && out[i] == sizes[i] * w->stride[i] && w->before[i] == (all > 0 ? all / 2 : 0);
    }
    return same;
}

int dl_onnx_in_conv_transpose(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    int source = dl_onnx_arrange_channels(in, value);
    const dl_onnx_constant *weight = source == -2 ? NULL : kernel_of(in, 4);
    window w;
    int64_t more[2] = {0, 0};
    if (!weight || read_window(in, 2, value->view.dim + 2, weight->dim + 2, &w))
        return -1;
    dl_onnx_get_ints(in, "output_padding", 2, more);
    const char *automatic = dl_onnx_get_text(in, "auto_pad", "NOTSET");
    if (dl_onnx_get_int(in, "group", 1) != 1 || w.dilation[0] != 1 || w.dilation[1] != 1 ||
        dl_onnx_attribute(in, "output_shape") || strcmp(automatic, "NOTSET") ||
        weight->dim[0] != value->view.dim[1] || more[0] < 0 || more[1] < 0 || more[0] > 65536 ||
        more[1] > 65536)
        return dl_onnx_refuse(in, "group, dilations, auto_pad and output_shape are not supported");
    const int64_t *sizes = value->view.dim + 2;
    int64_t filters = weight->dim[1], out[2], full[2];
    for (int i = 0; i < 2; i++) {
        full[i] = (sizes[i] - 1) * w.stride[i] + w.kernel[i];
        out[i] = full[i] + more[i] - w.before[i] - w.after[i];
        if (out[i] < 1 || full[i] > 1 << 20)
            return dl_onnx_refuse(in, "its output is empty or too large");
    }
    bool same = is_same_transposed(&w, sizes, out), even = is_even(&w) && !more[0] && !more[1];
    bool crops = !same && !even;
    if (crops && (w.before[0] + out[0] > full[0] || w.before[1] + out[1] > full[1]))
        return dl_onnx_refuse(in, "output_padding larger than pads is not supported");
    const int64_t dims[4] = {value->view.dim[0], filters, out[0], out[1]}, none[2] = {0, 0};
    dl_shape shape = dl_shape3((int)out[0], (int)out[1], (int)filters);
    dl_onnx_layer *layer =
        dl_onnx_new_layer(in, "conv2d_transpose", in->node->input[1], source,
                          crops ? dl_shape3((int)full[0], (int)full[1], (int)filters) : shape);
    if (!layer)
        return -1;
    window shown = w;
    memcpy(shown.before, crops ? none : w.before, sizeof none);
    dl_text_add(&layer->options, "filters = %lld; ", (long long)filters);
    add_window(&layer->options, &shown, "kernel", same);
    put_kernel(weight, weight->dim[0], filters, weight->dim[2] * weight->dim[3],
               dl_onnx_add_tensor(in, layer, "weight", weight->count));
    if (add_bias(in, layer, filters))
        return -1;
    if (crops) {
        layer = dl_onnx_new_layer(in, "crop", "", in->layer_count - 1, shape);
        if (!layer)
            return -1;
        dl_text_add(&layer->options, "top = %lld; left = %lld; height = %lld; width = %lld; ",
                    (long long)w.before[0], (long long)w.before[1], (long long)out[0],
                    (long long)out[1]);
    }
    dl_onnx_view view = dl_onnx_view_of(4, dims, (int[]){0, 3, 1, 2});
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    return 0;
}

/* ---- pools ---- */

/* The end that ceil_mode = true reaches: pads of the end are a last window, partly outside. */
static bool find_ceil(window *w, const int64_t *sizes) {
    window other = *w;
    bool fits = true;
    for (int i = 0; i < w->axes; i++) {
        other.after[i] = other.before[i];
        fits =
            fits && output_size(&other, i, sizes[i], true) == output_size(w, i, sizes[i], w->ceil);
    }
    if (fits) {
        *w = other;
        w->ceil = true;
    }
    return fits;
}

int dl_onnx_in_pool(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    int source = dl_onnx_arrange_channels(in, value), axes = value->view.rank - 2;
    const int64_t *sizes = value->view.dim + 2;
    window w;
    bool max = in->node->op_type[0] == 'M';
    if (source == -2 || read_window(in, axes, sizes, NULL, &w))
        return -1;
    if (in->node->n_output > 1 || w.dilation[0] != 1 || w.dilation[1] != 1)
        return dl_onnx_refuse(in, "dilations and a second output are not supported");
    dl_onnx_view view;
    dl_shape shape = sized(&value->view, &w, value->view.dim[1], &view);
    bool pads = w.before[0] || w.before[1] || w.after[0] || w.after[1];
    if (!max && pads && !w.ceil && dl_onnx_get_int(in, "count_include_pad", 0)) {
        if (pad_first(in, source, &w)) /* whose zeros count */
            return -1;
        source = in->layer_count - 1;
    }
    bool same = !is_even(&w) && is_same(&w, sizes);
    if (!same && !is_even(&w) && !find_ceil(&w, sizes))
        return dl_onnx_refuse(in, "its attribute pads has no equivalent");
    static const char *const names[2][2] = {{"avg_pool1d", "avg_pool"}, {"max_pool1d", "max_pool"}};
    dl_onnx_layer *layer = dl_onnx_new_layer(in, names[max][axes - 1], "", source, shape);
    if (!layer)
        return -1;
    add_window(&layer->options, &w, "size", same);
    if (w.ceil)
        dl_text_add(&layer->options, "ceil_mode = true; ");
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    return 0;
}

static int add_global(dl_onnx_import *in, bool max, bool keep) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    int source = dl_onnx_arrange_channels(in, value), rank = value->view.rank;
    if (source == -2)
        return -1;
    int64_t dims[4] = {value->view.dim[0], value->view.dim[1], 1, 1};
    dl_onnx_layer *layer = dl_onnx_new_layer(in, max ? "global_max_pool" : "global_avg_pool", "",
                                             source, dl_shape1((int)dims[1]));
    if (!layer)
        return -1;
    dl_onnx_view view = dl_onnx_view_of(keep ? rank : 2, dims, (int[]){0, 1, 2, 3});
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    return 0;
}

int dl_onnx_in_global(dl_onnx_import *in) {
    return add_global(in, in->node->op_type[6] == 'M', true);
}

/* ReduceMean and ReduceMax of all axes of space. */
int dl_onnx_in_reduce(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    const dl_onnx_constant *list = dl_onnx_constant_of(in, 1);
    int64_t axes[4];
    int count = dl_onnx_get_ints(in, "axes", 4, axes), rank = value->view.rank;
    for (int i = 0; list && list->count <= 4 && i < list->count; i++)
        axes[count++] = (int64_t)dl_onnx_element(list, i);
    unsigned met = 0;
    for (int i = 0; i < count; i++) {
        axes[i] += axes[i] < 0 ? rank : 0;
        met |= axes[i] >= 0 && axes[i] < 8 ? 1u << axes[i] : 1;
    }
    if (value->constant || (rank != 3 && rank != 4) ||
        met != (rank == 4 ? 12u : 4u)) /* axes 2 and 3, or 2 */
        return dl_onnx_refuse(in, "it must be over the height and width of an image, or the steps "
                                  "of a sequence");
    return add_global(in, !strcmp(in->node->op_type, "ReduceMax"),
                      dl_onnx_get_int(in, "keepdims", 1));
}
