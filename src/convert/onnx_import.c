/* SPDX-License-Identifier: MIT */
/* Values and layers of a graph that is translated. */
#include "convert/onnx_import.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ERRORS = 20 }; /* that are reported */

int dl_onnx_refuse(dl_onnx_import *in, const char *format, ...) {
    if (in->errors++ >= MOST_ERRORS)
        return -1;
    dl_text text = {0}, plain = {0};
    if (in->node) {
        const char *name = in->node->name && *in->node->name ? in->node->name
                           : in->node->n_output              ? in->node->output[0]
                                                             : "";
        dl_text_add(&text, "node \"%.200s\" (%.60s): ", name,
                    in->node->op_type ? in->node->op_type : "");
    }
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&text, format, arguments);
    va_end(arguments);
    dl_text_add_plain(&plain, dl_text_get(&text));
    dl_fail(in->error, DL_USAGE, "%s: %s", in->path, dl_text_get(&plain));
    dl_text_free(&text);
    dl_text_free(&plain);
    return -1;
}

/* ---- values ---- */

dl_onnx_in_value *dl_onnx_find_value(dl_onnx_import *in, const char *name) {
    int i = name && *name ? dl_string_set_find(&in->names, name) : -1;
    return i < 0 ? NULL : &in->values[i];
}

dl_onnx_in_value *dl_onnx_value_of(dl_onnx_import *in, size_t k) {
    return k < in->node->n_input ? dl_onnx_find_value(in, in->node->input[k]) : NULL;
}

const dl_onnx_constant *dl_onnx_constant_of(dl_onnx_import *in, size_t k) {
    const dl_onnx_in_value *value = dl_onnx_value_of(in, k);
    return value ? value->constant : NULL;
}

static dl_onnx_in_value *output_of(dl_onnx_import *in, size_t k) {
    dl_onnx_in_value *value =
        k < in->node->n_output ? dl_onnx_find_value(in, in->node->output[k]) : NULL;
    if (value)
        *value = (dl_onnx_in_value){.known = true, .uses = value->uses};
    return value;
}

void dl_onnx_set_constant(dl_onnx_import *in, size_t k, const dl_onnx_constant *c) {
    dl_onnx_in_value *value = output_of(in, k);
    if (value)
        value->constant = c;
}

void dl_onnx_set_view(dl_onnx_import *in, size_t k, int layer, const dl_onnx_view *view) {
    const dl_onnx_view copy = *view;
    dl_onnx_in_value *value = output_of(in, k);
    if (!value)
        return;
    value->layer = layer;
    value->view = copy;
}

void dl_onnx_set_curve(dl_onnx_import *in, int layer, const dl_onnx_view *view,
                       const dl_onnx_curve *curve) {
    dl_onnx_set_view(in, 0, layer, view);
    dl_onnx_in_value *value = dl_onnx_find_value(in, in->node->output[0]);
    if (value)
        value->curve = curve;
}

void dl_onnx_pass(dl_onnx_import *in, const dl_onnx_in_value *value) {
    const dl_onnx_in_value copy = *value;
    dl_onnx_in_value *output = output_of(in, 0);
    if (!output)
        return;
    int uses = output->uses;
    *output = copy;
    output->uses = uses;
}

/* ---- layers ---- */

dl_shape dl_onnx_shape_of(const dl_onnx_import *in, int layer) {
    return layer < 0 ? in->input : in->layers[layer].shape;
}

/* A name of a layer: letters, digits and "_" of the node's, or of its weight's. */
static const char *layer_name(dl_onnx_import *in, const char *type, const char *weight) {
    enum { MOST_LETTERS = 60 };
    char name[MOST_LETTERS + 1];
    const char *end = weight ? strrchr(weight, '.') : NULL;
    const char *from = weight && in->node->name ? in->node->name : "";
    size_t length = strlen(from), count = 0;
    size_t op = strlen(in->node->op_type);
    if (in->own) {
        length = strcspn(from, ".");
    } else if (end && !strcmp(end, ".weight") && strncmp(weight, "onnx::", 6)) {
        from = weight;
        length = (size_t)(end - weight);
    } else if (length > op + 1 && !strcmp(from + length - op, in->node->op_type) &&
               from[length - op - 1] == '/')
        length -= op + 1;
    for (size_t i = 0; i < length && count < MOST_LETTERS; i++) {
        bool good = isalnum((unsigned char)from[i]) && (unsigned char)from[i] < 128;
        if (good || (count && name[count - 1] != '_'))
            name[count++] = good ? from[i] : '_';
    }
    while (count && name[count - 1] == '_')
        count--;
    name[count] = '\0';
    bool named = isalpha((unsigned char)name[0]) && strcmp(name, "input");
    const char *base = named ? name : type, *unique = named ? name : NULL;
    for (int k = 1 + named; !unique || dl_string_set_find(&in->layer_names, unique) >= 0; k++)
        unique = dl_arena_printf(&in->arena, "%s_%d", base, k);
    int i = dl_string_set_add(&in->layer_names, unique);
    return in->layer_names.name[i];
}

static const char *describe_node(dl_onnx_import *in) {
    dl_text text = {0};
    for (const char *c = in->node->op_type; *c && text.length < 40; c++)
        dl_text_add(&text, "%c", isprint((unsigned char)*c) ? *c : '?');
    dl_text_add(&text, " ");
    const char *name = in->node->name ? in->node->name : "";
    for (const char *c = name; *c && text.length < 120; c++)
        dl_text_add(&text, "%c", isprint((unsigned char)*c) ? *c : '?');
    const char *copy = dl_arena_strdup(&in->arena, text.data);
    dl_text_free(&text);
    return copy;
}

dl_onnx_layer *dl_onnx_new_layer(dl_onnx_import *in, const char *type, const char *weight,
                                 int source, dl_shape shape) {
    int64_t size = 1;
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] < 1 || (shape.rank > 1 && shape.dim[i] > DL_ONNX_LONGEST) ||
            !dl_multiply(size, shape.dim[i], &size) || size > DL_ONNX_MOST) {
            dl_onnx_refuse(in, "its output is empty or too large");
            return NULL;
        }
    if (in->layer_count == UINT16_MAX) {
        dl_onnx_refuse(in, "the network has more than %d layers", UINT16_MAX);
        return NULL;
    }
    if (in->layer_count == in->layer_room) {
        in->layer_room = in->layer_room ? 2 * in->layer_room : 64;
        in->layers = xrealloc(in->layers, sizeof *in->layers * (size_t)in->layer_room);
    }
    const char *name = layer_name(in, type, weight);
    dl_onnx_layer *layer = &in->layers[in->layer_count++];
    *layer = (dl_onnx_layer){.type = type,
                             .name = name,
                             .origin = describe_node(in),
                             .input_count = 1,
                             .inputs = {source},
                             .shape = shape};
    return layer;
}

float *dl_onnx_add_tensor(dl_onnx_import *in, dl_onnx_layer *layer, const char *name,
                          int64_t count) {
    float *values = dl_arena_alloc(&in->arena, sizeof *values * (size_t)(count ? count : 1));
    layer->tensors[layer->tensor_count++] = (dl_onnx_tensor){name, values, count};
    return values;
}

/* ---- arranging ---- */

/* Whether other values or layers than this chain see the output of a layer. */
static bool is_shared(const dl_onnx_import *in, int layer, int reader) {
    for (int i = 0; i < in->layer_count; i++)
        for (int k = 0; k < in->layers[i].input_count; k++)
            if (in->layers[i].inputs[k] == layer && i != reader)
                return true;
    for (int i = 0; i < in->names.count; i++)
        if (in->values[i].known && !in->values[i].constant && in->values[i].layer == layer &&
            in->values[i].uses > 1)
            return true;
    return false;
}

/* Column j of what a dense layer computes becomes the former column from[j]. */
static void permute_columns(dl_onnx_import *in, dl_onnx_layer *dense, const int64_t *from) {
    int64_t columns = dl_shape_size(dense->shape);
    float *row = dl_arena_alloc(&in->arena, sizeof *row * (size_t)columns);
    for (int t = 0; t < dense->tensor_count; t++)
        for (int64_t r = 0; r < dense->tensors[t].count / columns; r++) {
            float *values = dense->tensors[t].values + r * columns;
            memcpy(row, values, sizeof *row * (size_t)columns);
            for (int64_t j = 0; j < columns; j++)
                values[j] = row[from[j]];
        }
}

/* Another order of the outputs is a matter of columns where a dense layer computes them. */
static bool reorder(dl_onnx_import *in, dl_onnx_in_value *value, const int *order) {
    int last = value->layer, dense = last;
    if (dense >= 0 && !strcmp(in->layers[dense].type, "activation"))
        dense = in->layers[dense].inputs[0];
    if (dense < 0 || strcmp(in->layers[dense].type, "dense") || in->layers[dense].shape.rank != 1 ||
        is_shared(in, last, -1) || (dense != last && is_shared(in, dense, last)))
        return false;
    dl_onnx_view wanted = value->view;
    int place = 0;
    for (int i = 0; i < wanted.rank; i++)
        for (int a = order[i] ? wanted.end[order[i] - 1] : 0; a < wanted.end[order[i]]; a++)
            wanted.atom[a].place = wanted.atom[a].place ? ++place : 0;
    if (!dl_onnx_view_is(&wanted, order))
        return false;
    int64_t size = dl_onnx_view_sample(&wanted);
    const int64_t *is = dl_onnx_view_order(&value->view, &in->arena);
    const int64_t *becomes = dl_onnx_view_order(&wanted, &in->arena);
    int64_t *from = dl_arena_alloc(&in->arena, sizeof *from * (size_t)size);
    int64_t *at = dl_arena_alloc(&in->arena, sizeof *at * (size_t)size);
    for (int64_t i = 0; i < size; i++)
        at[is ? is[i] : i] = i;
    for (int64_t i = 0; i < size; i++)
        from[i] = at[becomes ? becomes[i] : i];
    permute_columns(in, &in->layers[dense], from);
    value->view = wanted;
    return true;
}

int dl_onnx_arrange(dl_onnx_import *in, dl_onnx_in_value *value, const int *order, int rank) {
    dl_shape shape = {rank, {1, 1, 1, 1}};
    int layer = dl_onnx_settle(in, value);
    if (layer == -2)
        return -2;
    if (!dl_onnx_view_is(&value->view, order) && !reorder(in, value, order)) {
        dl_onnx_refuse(in, "its input would have to be transposed, which no layer does");
        return -2;
    }
    for (int i = 1; i < value->view.rank; i++) {
        int k = i - 1 < rank ? i - 1 : rank - 1;
        shape.dim[k] *= (int)value->view.dim[order[i]];
    }
    if (dl_shape_equal(shape, dl_onnx_shape_of(in, layer)))
        return layer;
    dl_onnx_layer *made =
        dl_onnx_new_layer(in, rank == 1 ? "flatten" : "reshape", NULL, layer, shape);
    if (!made)
        return -2;
    if (rank > 1) {
        dl_text_add(&made->options, "shape = (");
        for (int i = 0; i < rank; i++)
            dl_text_add(&made->options, "%s%d", i ? ", " : "", shape.dim[i]);
        dl_text_add(&made->options, "); ");
    }
    value->layer = in->layer_count - 1;
    return value->layer;
}

int dl_onnx_arrange_any(dl_onnx_import *in, dl_onnx_in_value *value, int *order) {
    if (!value->constant && dl_onnx_view_find_order(&value->view, order))
        return dl_onnx_arrange(in, value, order, value->view.rank - 1);
    dl_onnx_refuse(in, "its input would have to be transposed, which no layer does");
    return -2;
}

const float *dl_onnx_by_axis(dl_onnx_import *in, const dl_onnx_constant *c,
                             const dl_onnx_view *view, int axis) {
    int64_t channels = view->dim[axis];
    if (channels > DL_ONNX_MOST_REPEATED && (c->uniform || c->count == 1))
        return NULL;
    for (int i = 0; i < c->rank; i++) {
        int own = view->rank - c->rank + i;
        if (own < 0 ? c->dim[i] != 1 : c->dim[i] != 1 && (own != axis || c->dim[i] != channels))
            return NULL;
    }
    in->copied += channels;
    float *made = dl_arena_alloc(&in->arena, sizeof *made * (size_t)channels);
    for (int64_t i = 0; i < channels; i++)
        made[i] = (float)dl_onnx_element(c, c->count == 1 ? 0 : i);
    return made;
}

int dl_onnx_arrange_channels(dl_onnx_import *in, dl_onnx_in_value *value) {
    static const int image_order[] = {0, 2, 3, 1}, sequence_order[] = {0, 2, 1};
    int rank = value->view.rank;
    if (value->constant || (rank != 3 && rank != 4)) {
        dl_onnx_refuse(in, "its input must be an image or a sequence");
        return -2;
    }
    return dl_onnx_arrange(in, value, rank == 4 ? image_order : sequence_order, rank - 1);
}
