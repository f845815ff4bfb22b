/* SPDX-License-Identifier: MIT */
/* What combines values with each other or with constants, from ONNX. */
#include <string.h>

#include "convert/onnx_import.h"

/* ---- sums, products, concatenation ---- */

static const char *merge_layer(const char *op) {
    return !strcmp(op, "Add") || !strcmp(op, "Sum") ? "add"
           : !strcmp(op, "Mul")                     ? "multiply"
           : !strcmp(op, "Mean")                    ? "average"
           : !strcmp(op, "Max")                     ? "maximum"
                                                    : NULL;
}

/* Repeats a value of one pixel over an image. */
static int spread(dl_onnx_import *in, dl_onnx_in_value *value, dl_shape image) {
    static const int order[] = {0, 2, 3, 1};
    int source = dl_onnx_arrange(in, value, order, 3);
    if (source == -2)
        return -2;
    image.dim[2] = (int)value->view.dim[1];
    dl_onnx_layer *layer = dl_onnx_new_layer(in, "upsample", NULL, source, image);
    if (!layer)
        return -2;
    dl_text_add(&layer->options, "size = (%d, %d); ", image.dim[0], image.dim[1]);
    return in->layer_count - 1;
}

static bool is_pixel(const dl_onnx_in_value *value, const dl_onnx_view *of) {
    const int64_t *dim = value->view.dim;
    return !value->constant && value->view.rank == 4 && of->rank == 4 && dim[1] == of->dim[1] &&
           dim[2] == 1 && dim[3] == 1 && of->dim[2] * of->dim[3] > 1;
}

static int merge(dl_onnx_import *in) {
    const char *type = merge_layer(in->node->op_type);
    int sources[DL_MAX_INPUTS], order[4], count = (int)in->node->n_input;
    dl_onnx_in_value *first = dl_onnx_value_of(in, 0);
    if (!type || in->node->n_input > DL_MAX_INPUTS)
        return dl_onnx_refuse(in, "it has no layer for these inputs");
    for (int k = 1; k < count; k++) /* the one that is not broadcast */
        if (!first->constant && !dl_onnx_value_of(in, (size_t)k)->constant &&
            is_pixel(first, &dl_onnx_value_of(in, (size_t)k)->view))
            first = dl_onnx_value_of(in, (size_t)k);
    int source = dl_onnx_arrange_any(in, first, order);
    if (source == -2)
        return -1;
    const dl_onnx_view view = first->view;
    dl_shape shape = dl_onnx_shape_of(in, source);
    for (int k = 0; k < count; k++) {
        dl_onnx_in_value *value = dl_onnx_value_of(in, (size_t)k);
        bool pixel = order[view.rank - 1] == 1 && is_pixel(value, &view);
        if (value->constant ||
            (!pixel && (value->view.rank != view.rank ||
                        memcmp(value->view.dim, view.dim, sizeof *view.dim * (size_t)view.rank))))
            return dl_onnx_refuse(in, "its inputs have different shapes");
        sources[k] =
            pixel ? spread(in, value, shape) : dl_onnx_arrange(in, value, order, view.rank - 1);
        if (sources[k] == -2)
            return -1;
    }
    dl_onnx_layer *layer = dl_onnx_new_layer(in, type, "", sources[0], shape);
    if (!layer)
        return -1;
    layer->activates = !strcmp(type, "add");
    for (int k = 1; k < count; k++)
        layer->inputs[layer->input_count++] = sources[k];
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    return 0;
}

/* Adds to the bias of the layer before, which has none yet. */
static bool add_to_bias(dl_onnx_import *in, dl_onnx_in_value *value, const float *addends,
                        int64_t channels) {
    dl_onnx_layer *layer = value->layer < 0 ? NULL : &in->layers[value->layer];
    if (!layer || !layer->takes_bias || value->curve || value->uses != 1 ||
        dl_shape_channels(layer->shape) != channels)
        return false;
    float *bias = dl_onnx_add_tensor(in, layer, "bias", channels);
    memcpy(bias, addends, sizeof *bias * (size_t)channels);
    layer->takes_bias = false;
    dl_onnx_pass(in, value);
    return true;
}

/* x · factors + addends: into a layer "scale". */
static int add_scale(dl_onnx_import *in, dl_onnx_in_value *value, const int *order,
                     const float *factors, const float *addends) {
    int rank = value->view.rank, source = dl_onnx_arrange(in, value, order, rank - 1);
    if (source == -2)
        return -1;
    int64_t channels = value->view.dim[order[rank - 1]];
    dl_onnx_layer *layer = source < 0 ? NULL : &in->layers[source];
    if (!layer || strcmp(layer->type, "scale") || value->uses != 1) {
        layer = dl_onnx_new_layer(in, "scale", NULL, source, dl_onnx_shape_of(in, source));
        if (!layer)
            return -1;
        if (source < 0) /* as the net was trained with it */
            dl_text_add(&layer->options, "trainable = false; ");
        layer->activates = true;
        source = in->layer_count - 1;
        float *ones = dl_onnx_add_tensor(in, layer, "scale", channels);
        for (int64_t c = 0; c < channels; c++)
            ones[c] = 1;
    }
    if (layer->tensor_count < 2 && addends) {
        dl_onnx_add_tensor(in, layer, "shift", channels);
        dl_text_add(&layer->options, "shift = true; ");
    }
    for (int64_t c = 0; c < channels; c++) {
        layer->tensors[0].values[c] *= factors ? factors[c] : 1;
        if (layer->tensor_count > 1)
            layer->tensors[1].values[c] = layer->tensors[1].values[c] * (factors ? factors[c] : 1) +
                                          (addends ? addends[c] : 0);
    }
    dl_onnx_set_view(in, 0, source, &value->view);
    return 0;
}

/* Adds a table [steps][channels] to a sequence. */
static int add_positions(dl_onnx_import *in, dl_onnx_in_value *value, const dl_onnx_constant *c) {
    int order[4], rank = value->view.rank;
    int source = rank == 3 ? dl_onnx_arrange_any(in, value, order) : -2;
    bool fits = source != -2 && order[2] == 2 && c->rank >= 2 &&
                c->count == value->view.dim[order[1]] * value->view.dim[2] &&
                c->dim[c->rank - 1] == value->view.dim[2] && !c->uniform;
    if (!fits)
        return dl_onnx_refuse(in, "the constant varies along other axes than the channels");
    dl_onnx_layer *layer =
        dl_onnx_new_layer(in, "positional_encoding", "", source, dl_onnx_shape_of(in, source));
    if (!layer)
        return -1;
    dl_text_add(&layer->options, "kind = \"learned\"; ");
    in->copied += c->count;
    float *made = dl_onnx_add_tensor(in, layer, "weight", c->count);
    for (int64_t i = 0; i < c->count; i++)
        made[i] = (float)dl_onnx_element(c, i);
    dl_onnx_set_view(in, 0, in->layer_count - 1, &value->view);
    return 0;
}

/* The normalization that dltrain has written before the first layer: [channels] or [elements]. */
static bool add_to_input(dl_onnx_import *in, const dl_onnx_in_value *value,
                         const dl_onnx_constant *c) {
    const char op = in->node->op_type[0];
    dl_shape shape = in->input;
    int64_t size = dl_shape_size(shape), channels = dl_shape_channels(shape), places;
    if (!in->own || value->layer >= 0 || value->curve || (op != 'S' && op != 'M') ||
        (op == 'S' && in->shift) || (op == 'M' && in->scale) || c->uniform ||
        (c->count != 1 && c->count != channels && c->count != size))
        return false;
    bool first = c->count == size && value->view.rank == 4 && value->view.dim[1] == channels &&
                 value->view.dim[3] == shape.dim[1];
    places = first ? size / channels : 1;
    double *made = dl_arena_alloc(&in->arena, sizeof *made * (size_t)c->count);
    for (int64_t i = 0; i < c->count; i++) /* channels last */
        made[i] = dl_onnx_element(c, first ? i % channels * places + i / channels : i);
    if (in->normalized && in->normalized != c->count)
        return false;
    in->normalized = c->count;
    if (op == 'S')
        in->shift = made;
    else
        in->scale = made;
    dl_onnx_pass(in, value);
    return true;
}

static int by_constant(dl_onnx_import *in, dl_onnx_in_value *value, const dl_onnx_constant *c,
                       bool swapped) {
    const char op = in->node->op_type[0];
    int order[4];
    if (!dl_onnx_view_find_order(&value->view, order) || !strchr("ASMD", op) ||
        (swapped && op == 'D'))
        return dl_onnx_refuse(in, "it has no layer for a constant and this input");
    int axis = order[value->view.rank - 1];
    const float *numbers = dl_onnx_by_axis(in, c, &value->view, axis);
    if (!numbers)
        return op == 'A'
                   ? add_positions(in, value, c)
                   : dl_onnx_refuse(in, "the constant varies along other axes than the channels");
    int64_t channels = value->view.dim[axis];
    float *made = dl_arena_alloc(&in->arena, sizeof *made * (size_t)channels), *signs = NULL;
    if (swapped && op == 'S')
        signs = dl_arena_alloc(&in->arena, sizeof *signs * (size_t)channels);
    for (int64_t i = 0; i < channels; i++) {
        made[i] = op == 'D' ? 1 / numbers[i] : op == 'S' && !swapped ? -numbers[i] : numbers[i];
        if (signs)
            signs[i] = -1;
    }
    if (op == 'A' && add_to_bias(in, value, made, channels))
        return 0;
    bool factor = op == 'M' || op == 'D';
    return add_scale(in, value, order, factor ? made : signs, factor ? NULL : made);
}

/* Add, Sub, Mul, Div, Pow; Sum, Mean, Max. */
int dl_onnx_in_arithmetic(dl_onnx_import *in) {
    dl_onnx_in_value *a = dl_onnx_value_of(in, 0), *b = dl_onnx_value_of(in, 1);
    const char *op = in->node->op_type;
    bool two = in->node->n_input == 2 && strcmp(op, "Mean") && strcmp(op, "Max");
    if (!b) {
        dl_onnx_pass(in, a);
        return 0;
    }
    if (two && a->constant && b->constant)
        return dl_onnx_in_fill(in);
    bool swapped = a->constant != NULL;
    const dl_onnx_constant *c = swapped ? a->constant : b->constant;
    if (two && c && !swapped && add_to_input(in, a, c))
        return 0;
    int result = two ? dl_onnx_add_function(in, a, b) : 0;
    if (result)
        return result < 0 ? -1 : 0;
    if (two && c)
        return by_constant(in, swapped ? b : a, c, swapped);
    return merge(in);
}

/* Along the channels. */
static int concat_values(dl_onnx_import *in, int64_t axis) {
    int sources[DL_MAX_INPUTS] = {0}, order[4], count = (int)in->node->n_input;
    dl_onnx_in_value *first = dl_onnx_value_of(in, 0);
    if (in->node->n_input > DL_MAX_INPUTS)
        return dl_onnx_refuse(in, "it has more than %d inputs", DL_MAX_INPUTS);
    int source = dl_onnx_arrange_any(in, first, order), rank = first->view.rank;
    if (source == -2)
        return -1;
    dl_onnx_view view = first->view;
    dl_shape shape = dl_onnx_shape_of(in, source);
    axis += axis < 0 ? rank : 0;
    if (axis != order[rank - 1])
        return dl_onnx_refuse(in, "its axis must be that of the channels");
    int64_t channels = 0;
    for (int k = 0; k < count; k++) {
        dl_onnx_in_value *value = dl_onnx_value_of(in, (size_t)k);
        bool fits = !value->constant && value->view.rank == rank;
        for (int i = 0; fits && i < rank; i++)
            fits = i == axis || value->view.dim[i] == view.dim[i];
        if (!fits)
            return dl_onnx_refuse(in, "its inputs have different shapes");
        sources[k] = dl_onnx_arrange(in, value, order, rank - 1);
        channels += value->view.dim[axis];
        if (sources[k] == -2)
            return -1;
    }
    if (channels > INT32_MAX)
        return dl_onnx_refuse(in, "its output is too large");
    view.dim[axis] = channels;
    shape.dim[shape.rank - 1] = (int)channels;
    dl_onnx_layer *layer = dl_onnx_new_layer(in, "concat", "", sources[0], shape);
    if (!layer)
        return -1;
    for (int k = 1; k < count; k++)
        layer->inputs[layer->input_count++] = sources[k];
    view = dl_onnx_view_ordered(rank, view.dim, order);
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    return 0;
}

int dl_onnx_in_concat(dl_onnx_import *in) {
    enum { FEW = 64 };
    double numbers[FEW];
    int64_t count = 0;
    for (size_t k = 0; k < in->node->n_input; k++) {
        const dl_onnx_constant *c = dl_onnx_constant_of(in, k);
        if (!c)
            return concat_values(in, dl_onnx_get_int(in, "axis", 1));
        if (c->rank != 1 || count + c->count > FEW)
            return dl_onnx_refuse(in, "constants of this shape are not joined");
        for (int64_t i = 0; i < c->count; i++)
            numbers[count++] = dl_onnx_element(c, i);
    }
    dl_onnx_set_constant(in, 0, dl_onnx_new_constant(in, 1, &count, numbers, false));
    return 0;
}
