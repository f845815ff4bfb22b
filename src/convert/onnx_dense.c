/* SPDX-License-Identifier: MIT */
/* Dense layers, normalization, and attention, which is made of them. */
#include "convert/onnx_layer.h"

#include <math.h>
#include <string.h>

/* ---- dense and its like ---- */

/* [outputs][inputs] of [inputs][outputs]. */
static const float *turned(dl_onnx_export *x, const float *w, int64_t inputs, int64_t outputs) {
    float *t = dl_onnx_scratch(x, inputs * outputs);
    for (int64_t i = 0; i < inputs; i++)
        for (int64_t o = 0; o < outputs; o++)
            t[o * inputs + i] = w[i * outputs + o];
    return t;
}

/* The rows of a weight [h·w·c][outputs] in the order in which an image with channels first is
   flattened. */
static const float *channels_first_rows(dl_onnx_export *x, const float *w, dl_shape in,
                                        int64_t outputs) {
    int64_t channels = dl_shape_channels(in), places = dl_shape_size(in) / channels;
    float *made = dl_onnx_scratch(x, places * channels * outputs);
    for (int64_t c = 0; c < channels; c++)
        for (int64_t p = 0; p < places; p++)
            memcpy(made + (c * places + p) * outputs, w + (p * channels + c) * outputs,
                   sizeof(float) * (size_t)outputs);
    return made;
}

/* x W + b over the last axis of a sequence, or of a row. */
const char *dl_onnx_affine(dl_onnx_export *x, const dl_layer *l, const char *in, const char *suffix,
                           int64_t inputs, int64_t outputs, const float *w, const float *b) {
    const char *name = dl_onnx_layer_name(x, l, suffix);
    dl_shape shape = dl_shape2((int)inputs, (int)outputs);
    const char *weight = dl_onnx_floats(&x->graph, dl_onnx_name(x, name, "weight"), shape, w);
    if (!b) {
        dl_onnx_node(&x->graph, "MatMul", name, in, weight, NULL);
        return name;
    }
    const char *product = dl_onnx_name(x, name, "product");
    dl_onnx_node(&x->graph, "MatMul", product, in, weight, NULL);
    const char *bias =
        dl_onnx_floats(&x->graph, dl_onnx_name(x, name, "bias"), dl_shape1((int)outputs), b);
    dl_onnx_node(&x->graph, "Add", name, product, bias, NULL);
    return name;
}

/* The input as rows; *w in the order that they have then. */
static const char *flat_input(dl_onnx_export *x, const dl_layer *l, int64_t outputs,
                              const float **w) {
    dl_onnx_value *in = dl_onnx_input(x, l, 0);
    int64_t size = dl_shape_size(in->shape);
    if (in->shape.rank == 1)
        return dl_onnx_last(x, in);
    if (in->last)
        return dl_onnx_reshape(x, in->last, dl_onnx_layer_name(x, l, "flat"), 1, &size);
    *w = channels_first_rows(x, *w, in->shape, outputs);
    return dl_onnx_reshape(x, in->first, dl_onnx_layer_name(x, l, "flat"), 1, &size);
}

int dl_onnx_add_dense(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    const dl_param *weight = dl_onnx_param(l, "weight"), *bias = dl_onnx_param(l, "bias");
    bool sequence = l->in[0].shape.rank == 2;
    int64_t outputs = dl_shape_channels(l->out.shape), inputs = weight->count / outputs;
    const float *w = l->transposed ? turned(x, weight->value, outputs, inputs) : weight->value;
    const char *in =
        sequence ? dl_onnx_last(x, dl_onnx_input(x, l, 0)) : flat_input(x, l, outputs, &w);
    const char *made =
        dl_onnx_affine(x, l, in, "affine", inputs, outputs, w, bias ? bias->value : NULL);
    return dl_onnx_finish(x, l, made, false, error);
}

int dl_onnx_add_maxout(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    const dl_param *weight = dl_onnx_param(l, "weight"), *bias = dl_onnx_param(l, "bias");
    int64_t units = dl_shape_size(l->out.shape), pieces = dl_onnx_int(l, "pieces", 1);
    int64_t sums = units * pieces, inputs = weight->count / sums;
    const float *w = weight->value;
    const char *in = flat_input(x, l, sums, &w);
    const char *made = dl_onnx_affine(x, l, in, "sums", inputs, sums, w, bias ? bias->value : NULL);
    made =
        dl_onnx_reshape(x, made, dl_onnx_layer_name(x, l, "pieces"), 2, (int64_t[]){pieces, units});
    Onnx__NodeProto *node =
        dl_onnx_node(&x->graph, "ReduceMax", dl_onnx_layer_name(x, l, "maxout"), made, NULL);
    dl_onnx_set_ints(&x->graph, node, "axes", 1, (int64_t[]){1});
    dl_onnx_set_int(&x->graph, node, "keepdims", 0);
    return dl_onnx_finish(x, l, node->output[0], false, error);
}

/* ---- normalization ---- */

/* The parameter, or as many of `otherwise`. */
static const float *channels_of(dl_onnx_export *x, const dl_layer *l, const char *name,
                                int64_t channels, float otherwise) {
    const dl_param *p = dl_onnx_param(l, name);
    if (p)
        return p->value;
    float *made = dl_onnx_scratch(x, channels);
    for (int64_t c = 0; c < channels; c++)
        made[c] = otherwise;
    return made;
}

static const char *channel_constant(dl_onnx_export *x, const dl_layer *l, const char *name,
                                    float otherwise) {
    int channels = dl_shape_channels(l->out.shape);
    return dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, name), dl_shape1(channels),
                          channels_of(x, l, name, channels, otherwise));
}

int dl_onnx_add_batch_norm(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    const char *in = dl_onnx_first(x, dl_onnx_input(x, l, 0));
    const char *scale = channel_constant(x, l, "scale", 1);
    const char *shift = channel_constant(x, l, "shift", 0);
    const char *mean = channel_constant(x, l, "mean", 0);
    const char *variance = channel_constant(x, l, "variance", 1);
    Onnx__NodeProto *node =
        dl_onnx_node(&x->graph, "BatchNormalization", dl_onnx_layer_name(x, l, "norm"), in, scale,
                     shift, mean, variance, NULL);
    dl_onnx_set_float(&x->graph, node, "epsilon", dl_onnx_double(l, "epsilon"));
    return dl_onnx_finish(x, l, node->output[0], true, error);
}

int dl_onnx_add_layer_norm(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    const char *in = dl_onnx_last(x, dl_onnx_input(x, l, 0));
    const char *scale = channel_constant(x, l, "scale", 1);
    const char *shift = channel_constant(x, l, "shift", 0);
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "LayerNormalization",
                                         dl_onnx_layer_name(x, l, "norm"), in, scale, shift, NULL);
    dl_onnx_set_int(&x->graph, node, "axis", -1);
    dl_onnx_set_float(&x->graph, node, "epsilon", dl_onnx_double(l, "epsilon"));
    return dl_onnx_finish(x, l, node->output[0], false, error);
}

/* The channels as `groups` of them, each normalized as ONNX does it with one channel. */
int dl_onnx_add_group_norm(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    const dl_shape shape = l->out.shape;
    int64_t channels = dl_shape_channels(shape), groups = dl_onnx_int(l, "groups", channels);
    float *ones = dl_onnx_scratch(x, groups), *zeros = dl_onnx_scratch(x, groups);
    for (int64_t i = 0; i < groups; i++)
        ones[i] = 1;
    int64_t parts[2] = {groups, dl_shape_size(shape) / groups};
    const char *made = dl_onnx_reshape(x, dl_onnx_first(x, dl_onnx_input(x, l, 0)),
                                       dl_onnx_layer_name(x, l, "groups"), 2, parts);
    dl_shape row = dl_shape1((int)groups);
    Onnx__NodeProto *node = dl_onnx_node(
        &x->graph, "InstanceNormalization", dl_onnx_layer_name(x, l, "norm"), made,
        dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "ones"), row, ones),
        dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "zeros"), row, zeros), NULL);
    dl_onnx_set_float(&x->graph, node, "epsilon", dl_onnx_double(l, "epsilon"));
    int64_t dims[4] = {channels};
    for (int i = 0; i + 1 < shape.rank; i++)
        dims[i + 1] = shape.dim[i];
    made =
        dl_onnx_reshape(x, node->output[0], dl_onnx_layer_name(x, l, "places"), shape.rank, dims);
    static const char *const names[] = {"scale", "shift"}, *const ops[] = {"Mul", "Add"};
    for (int k = 0; k < 2; k++)
        if (dl_onnx_param(l, names[k]))
            made = dl_onnx_binary(x, ops[k], made,
                                  dl_onnx_by_channel(x, dl_onnx_layer_name(x, l, names[k]), shape,
                                                     true, dl_onnx_param(l, names[k])->value),
                                  names[k]);
    return dl_onnx_finish(x, l, made, true, error);
}

/* x / sqrt(mean of x^2 over the channels + epsilon) · scale */
int dl_onnx_add_rms_norm(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    const char *in = dl_onnx_last(x, dl_onnx_input(x, l, 0));
    const char *square = dl_onnx_binary(x, "Mul", in, in, dl_onnx_name(x, l->name, "square"));
    Onnx__NodeProto *mean =
        dl_onnx_node(&x->graph, "ReduceMean", dl_onnx_layer_name(x, l, "mean"), square, NULL);
    dl_onnx_set_ints(&x->graph, mean, "axes", 1, (int64_t[]){-1});
    const char *sum = dl_onnx_binary(
        x, "Add", mean->output[0],
        dl_onnx_constant(x, l->name, "epsilon", dl_onnx_double(l, "epsilon")), "plus_epsilon");
    const char *made = dl_onnx_binary(x, "Div", in, dl_onnx_unary(x, "Sqrt", sum, "sqrt"),
                                      dl_onnx_layer_name(x, l, "norm"));
    if (dl_onnx_param(l, "scale"))
        made = dl_onnx_binary(x, "Mul", made, channel_constant(x, l, "scale", 1), "scaled");
    return dl_onnx_finish(x, l, made, false, error);
}

/* x / (k + alpha · m)^beta; m: the mean of x^2 over `size` neighbors, of which those beyond the
   channels are 0. For what the operator LRN has not: even sizes, rows and sequences. */
static int add_any_local_response(dl_onnx_export *x, const dl_layer *l, int64_t size,
                                  dl_error *error) {
    dl_shape shape = l->out.shape;
    int64_t channels = dl_shape_channels(shape),
            dims[3] = {1, dl_shape_size(shape) / channels, channels};
    const char *in = dl_onnx_last(x, dl_onnx_input(x, l, 0));
    const char *square = dl_onnx_binary(x, "Mul", in, in, dl_onnx_name(x, l->name, "square"));
    square = dl_onnx_reshape(x, square, dl_onnx_layer_name(x, l, "squares"), 3, dims);
    Onnx__NodeProto *mean =
        dl_onnx_node(&x->graph, "AveragePool", dl_onnx_layer_name(x, l, "mean"), square, NULL);
    dl_onnx_set_ints(&x->graph, mean, "kernel_shape", 2, (int64_t[]){1, size});
    dl_onnx_set_ints(&x->graph, mean, "pads", 4, (int64_t[]){0, size / 2, 0, (size - 1) / 2});
    dl_onnx_set_int(&x->graph, mean, "count_include_pad", 1);
    int64_t own[3] = {shape.dim[0], shape.dim[1], shape.dim[2]};
    const char *made =
        dl_onnx_reshape(x, mean->output[0], dl_onnx_layer_name(x, l, "means"), shape.rank, own);
    static const char *const keys[] = {"alpha", "k", "beta"}, *const ops[] = {"Mul", "Add", "Pow"};
    for (int i = 0; i < 3; i++)
        made = dl_onnx_binary(x, ops[i], made,
                              dl_onnx_constant(x, l->name, keys[i], dl_onnx_double(l, keys[i])),
                              keys[i]);
    return dl_onnx_finish(
        x, l, dl_onnx_binary(x, "Div", in, made, dl_onnx_layer_name(x, l, "norm")), false, error);
}

int dl_onnx_add_local_response(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    int64_t size = dl_onnx_int(l, "size", 5);
    if (size % 2 == 0 || l->out.shape.rank != 3)
        return add_any_local_response(x, l, size, error);
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "LRN", dl_onnx_layer_name(x, l, "norm"),
                                         dl_onnx_first(x, dl_onnx_input(x, l, 0)), NULL);
    dl_onnx_set_int(&x->graph, node, "size", size);
    dl_onnx_set_float(&x->graph, node, "alpha", dl_onnx_double(l, "alpha"));
    dl_onnx_set_float(&x->graph, node, "beta", dl_onnx_double(l, "beta"));
    dl_onnx_set_float(&x->graph, node, "bias", dl_onnx_double(l, "k"));
    return dl_onnx_finish(x, l, node->output[0], true, error);
}

/* ---- attention ---- */

/* Columns first … of a matrix and its bias. */
static const char *columns(dl_onnx_export *x, const dl_layer *l, const char *in, int which,
                           int64_t inputs, int64_t units) {
    static const char *const names[] = {"queries", "keys", "values"};
    const dl_param *weight = &l->params[0], *bias = l->param_count > 2 ? &l->params[2] : NULL;
    float *w = dl_onnx_scratch(x, inputs * units);
    for (int64_t i = 0; i < inputs; i++)
        memcpy(w + i * units, weight->value + i * 3 * units + which * units,
               sizeof *w * (size_t)units);
    return dl_onnx_affine(x, l, in, names[which], inputs, units, w,
                          bias ? bias->value + which * units : NULL);
}

static const char *heads_of(dl_onnx_export *x, const char *in, const int64_t *split,
                            const int64_t *order) {
    const char *parts = dl_onnx_reshape(x, in, dl_onnx_name(x, in, "heads"), 3, split);
    const char *made = dl_onnx_name(x, parts, "first");
    dl_onnx_permute(x, parts, made, 4, order);
    return made;
}

static const char *causal_mask(dl_onnx_export *x, const dl_layer *l, int steps) {
    float *mask = dl_onnx_scratch(x, (int64_t)steps * steps);
    for (int t = 0; t < steps; t++)
        for (int s = t + 1; s < steps; s++)
            mask[t * steps + s] = -INFINITY;
    return dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "mask"), dl_shape2(steps, steps),
                          mask);
}

int dl_onnx_add_attention(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    int64_t heads = dl_onnx_int(l, "heads", 1), units = dl_shape_channels(l->out.shape);
    int64_t inputs = dl_shape_channels(l->in[0].shape), steps = l->out.shape.dim[0];
    const int64_t split[3] = {steps, heads, units / heads}, forth[4] = {0, 2, 1, 3};
    const char *in = dl_onnx_last(x, dl_onnx_input(x, l, 0));
    const char *q = heads_of(x, columns(x, l, in, 0, inputs, units), split, forth);
    const char *k =
        heads_of(x, columns(x, l, in, 1, inputs, units), split, (int64_t[]){0, 2, 3, 1});
    const char *v = heads_of(x, columns(x, l, in, 2, inputs, units), split, forth);
    const char *scores = dl_onnx_binary(x, "MatMul", q, k, "scores");
    scores = dl_onnx_binary(
        x, "Mul", scores, dl_onnx_constant(x, l->name, "scale", 1 / sqrt((double)(units / heads))),
        "scaled");
    if (dl_onnx_flag(l, "causal"))
        scores = dl_onnx_binary(x, "Add", scores, causal_mask(x, l, (int)steps), "masked");
    const dl_activation softmax = {.kind = DL_SOFTMAX};
    const char *mixed =
        dl_onnx_binary(x, "MatMul", dl_onnx_activation(x, &softmax, scores, -1), v, "mixed");
    const char *back = dl_onnx_layer_name(x, l, "back");
    dl_onnx_permute(x, mixed, back, 4, forth);
    const char *joined =
        dl_onnx_reshape(x, back, dl_onnx_layer_name(x, l, "joined"), 2, (int64_t[]){steps, units});
    const dl_param *bias = l->param_count > 3 ? &l->params[3] : NULL;
    dl_onnx_set_output(x, l, NULL,
                       dl_onnx_affine(x, l, joined, "attention", units, units, l->params[1].value,
                                      bias ? bias->value : NULL));
    (void)error;
    return 0;
}
