/* SPDX-License-Identifier: MIT */
/* Layers that work element by element, and those that change the shape. */
#include "convert/onnx_layer.h"

/* ---- element by element, in the layout that the first input has ---- */

static const char *either(dl_onnx_export *x, const dl_layer *l, int k, bool first) {
    dl_onnx_value *value = dl_onnx_input(x, l, k);
    return first ? dl_onnx_first(x, value) : dl_onnx_last(x, value);
}

static bool comes_first(dl_onnx_export *x, const dl_layer *l) {
    const dl_onnx_value *value = dl_onnx_input(x, l, 0);
    return value->first && !dl_onnx_is_row(value->shape);
}

static int add_merge(dl_onnx_export *x, const dl_layer *l, const char *op, dl_error *error) {
    bool first = comes_first(x, l);
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, op, dl_onnx_layer_name(x, l, "merged"),
                                         either(x, l, 0, first), NULL);
    for (int k = 1; k < l->input_count; k++)
        dl_onnx_add_input(&x->graph, node, either(x, l, k, first));
    return dl_onnx_finish(x, l, node->output[0], first, error);
}

int dl_onnx_add_sum(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    return add_merge(x, l, "Sum", error);
}

int dl_onnx_add_mean(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    return add_merge(x, l, "Mean", error);
}

int dl_onnx_add_maximum(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    return add_merge(x, l, "Max", error);
}

int dl_onnx_add_product(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    bool first = comes_first(x, l);
    const char *made = either(x, l, 0, first);
    for (int k = 1; k < l->input_count; k++) {
        const char *factor = either(x, l, k, first);
        made = dl_onnx_binary(x, "Mul", made, factor, dl_onnx_layer_name(x, l, "product"));
    }
    return dl_onnx_finish(x, l, made, first, error);
}

int dl_onnx_add_concat(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    bool first = comes_first(x, l);
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "Concat", dl_onnx_layer_name(x, l, "concat"),
                                         either(x, l, 0, first), NULL);
    for (int k = 1; k < l->input_count; k++)
        dl_onnx_add_input(&x->graph, node, either(x, l, k, first));
    dl_onnx_set_int(&x->graph, node, "axis", first ? 1 : -1);
    return dl_onnx_finish(x, l, node->output[0], first, error);
}

int dl_onnx_add_identity(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    (void)error;
    const dl_onnx_value *in = dl_onnx_input(x, l, 0);
    dl_onnx_set_output(x, l, in->first, in->last);
    return 0;
}

int dl_onnx_add_activation(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    bool first = comes_first(x, l);
    return dl_onnx_finish(x, l, either(x, l, 0, first), first, error);
}

int dl_onnx_add_prelu(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    bool first = comes_first(x, l);
    const char *in = either(x, l, 0, first);
    const char *slope = dl_onnx_by_channel(x, dl_onnx_layer_name(x, l, "slope"), l->out.shape,
                                           first, dl_onnx_param(l, "slope")->value);
    return dl_onnx_finish(x, l,
                          dl_onnx_binary(x, "PRelu", in, slope, dl_onnx_layer_name(x, l, "prelu")),
                          first, error);
}

int dl_onnx_add_scale(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    bool first = comes_first(x, l);
    const char *made = either(x, l, 0, first);
    static const char *const names[] = {"scale", "shift"}, *const ops[] = {"Mul", "Add"};
    for (int k = 0; k < 2; k++)
        if (dl_onnx_param(l, names[k]))
            made = dl_onnx_binary(x, ops[k], made,
                                  dl_onnx_by_channel(x, dl_onnx_layer_name(x, l, names[k]),
                                                     l->out.shape, first,
                                                     dl_onnx_param(l, names[k])->value),
                                  dl_onnx_name(x, l->name, names[k]));
    return dl_onnx_finish(x, l, made, first, error);
}

/* ---- shapes ---- */

int dl_onnx_add_reshape(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    (void)error;
    int64_t dims[4];
    for (int i = 0; i < l->out.shape.rank; i++)
        dims[i] = l->out.shape.dim[i];
    dl_onnx_set_output(x, l, NULL,
                       dl_onnx_reshape(x, dl_onnx_last(x, dl_onnx_input(x, l, 0)),
                                       dl_onnx_layer_name(x, l, "reshaped"), l->out.shape.rank,
                                       dims));
    return 0;
}

int dl_onnx_add_pad(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    static const char *const keys[] = {"channels", "height", "width"};
    int64_t pads[8] = {0};
    for (int k = 0; k < 3; k++) {
        const int64_t *pair = dl_onnx_field(l, keys[k]);
        pads[k + 1] = pair[0];
        pads[k + 5] = pair[1];
    }
    const char *made =
        dl_onnx_binary(x, "Pad", dl_onnx_first(x, dl_onnx_input(x, l, 0)),
                       dl_onnx_ints(&x->graph, dl_onnx_layer_name(x, l, "pads"), 8, pads),
                       dl_onnx_layer_name(x, l, "pad"));
    return dl_onnx_finish(x, l, made, true, error);
}

int dl_onnx_add_crop(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    int64_t from[2] = {dl_onnx_int(l, "top", 0), dl_onnx_int(l, "left", 0)};
    int64_t to[2] = {from[0] + l->out.shape.dim[0], from[1] + l->out.shape.dim[1]};
    const char *name = dl_onnx_layer_name(x, l, "crop");
    const char *in = dl_onnx_first(x, dl_onnx_input(x, l, 0));
    const char *starts = dl_onnx_ints(&x->graph, dl_onnx_layer_name(x, l, "starts"), 2, from);
    const char *ends = dl_onnx_ints(&x->graph, dl_onnx_layer_name(x, l, "ends"), 2, to);
    const char *axes =
        dl_onnx_ints(&x->graph, dl_onnx_layer_name(x, l, "axes"), 2, (int64_t[]){2, 3});
    dl_onnx_node(&x->graph, "Slice", name, in, starts, ends, axes, NULL);
    return dl_onnx_finish(x, l, name, true, error);
}

int dl_onnx_add_upsample(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    const int64_t *size = dl_onnx_field(l, "size");
    int method = dl_onnx_choice(l, "method");
    float scales[4] = {1, 1, (float)size[0], (float)size[1]};
    const char *in = dl_onnx_first(x, dl_onnx_input(x, l, 0));
    const char *factors =
        dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "scales"), dl_shape1(4), scales);
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "Resize", dl_onnx_layer_name(x, l, "resize"),
                                         in, "", factors, NULL);
    dl_onnx_set_text(&x->graph, node, "mode", modes[method]);
    dl_onnx_set_text(&x->graph, node, "coordinate_transformation_mode",
                     method ? "half_pixel" : "asymmetric");
    if (!method)
        dl_onnx_set_text(&x->graph, node, "nearest_mode", "floor");
    if (method == 2)
        dl_onnx_set_float(&x->graph, node, "cubic_coeff_a", -0.75);
    return dl_onnx_finish(x, l, node->output[0], true, error);
}
