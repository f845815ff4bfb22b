/* SPDX-License-Identifier: MIT */
#include "convert/onnx_graph.h"

#include <stdarg.h>
#include <string.h>

void dl_onnx_graph_open(dl_onnx_graph *g, const char *name) {
    *g = (dl_onnx_graph){0};
    onnx__graph_proto__init(&g->proto);
    g->proto.name = dl_arena_strdup(&g->arena, name);
}

void dl_onnx_graph_close(dl_onnx_graph *g) {
    dl_string_set_free(&g->names);
    dl_arena_free(&g->arena);
}

/* A larger copy of an array of pointers with room for one more. */
static void *grown(dl_onnx_graph *g, void *list, size_t count, size_t *room) {
    if (count < *room)
        return list;
    *room = *room ? 2 * *room : 16;
    void **larger = dl_arena_alloc(&g->arena, sizeof *larger * *room);
    if (count)
        memcpy(larger, list, sizeof *larger * count);
    return larger;
}

void dl_onnx_add_input(dl_onnx_graph *g, Onnx__NodeProto *node, const char *name) {
    char **inputs = dl_arena_alloc(&g->arena, sizeof *inputs * (node->n_input + 1));
    if (node->n_input)
        memcpy(inputs, node->input, sizeof *inputs * node->n_input);
    inputs[node->n_input++] = dl_arena_strdup(&g->arena, name);
    node->input = inputs;
}

Onnx__NodeProto *dl_onnx_node(dl_onnx_graph *g, const char *op, const char *output, ...) {
    Onnx__NodeProto *node = dl_arena_alloc(&g->arena, sizeof *node);
    onnx__node_proto__init(node);
    node->op_type = dl_arena_strdup(&g->arena, op);
    node->name = dl_arena_strdup(&g->arena, output);
    node->output = dl_arena_alloc(&g->arena, sizeof *node->output);
    node->output[0] = node->name;
    node->n_output = 1;
    va_list inputs;
    va_start(inputs, output);
    for (const char *name; (name = va_arg(inputs, const char *));)
        dl_onnx_add_input(g, node, name);
    va_end(inputs);
    g->proto.node = grown(g, g->proto.node, g->proto.n_node, &g->node_room);
    g->proto.node[g->proto.n_node++] = node;
    return node;
}

static Onnx__AttributeProto *add_attribute(dl_onnx_graph *g, Onnx__NodeProto *node, const char *key,
                                           Onnx__AttributeProto__AttributeType type) {
    enum { MOST = 16 };
    Onnx__AttributeProto *attribute = dl_arena_alloc(&g->arena, sizeof *attribute);
    onnx__attribute_proto__init(attribute);
    attribute->name = dl_arena_strdup(&g->arena, key);
    attribute->has_type = true;
    attribute->type = type;
    if (!node->attribute)
        node->attribute = dl_arena_alloc(&g->arena, sizeof *node->attribute * MOST);
    node->attribute[node->n_attribute++] = attribute;
    return attribute;
}

void dl_onnx_set_int(dl_onnx_graph *g, Onnx__NodeProto *node, const char *key, int64_t value) {
    Onnx__AttributeProto *a =
        add_attribute(g, node, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = true;
    a->i = value;
}

void dl_onnx_set_float(dl_onnx_graph *g, Onnx__NodeProto *node, const char *key, double value) {
    Onnx__AttributeProto *a =
        add_attribute(g, node, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = true;
    a->f = (float)value;
}

void dl_onnx_set_text(dl_onnx_graph *g, Onnx__NodeProto *node, const char *key, const char *value) {
    Onnx__AttributeProto *a =
        add_attribute(g, node, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    a->has_s = true;
    a->s.data = (uint8_t *)dl_arena_strdup(&g->arena, value);
    a->s.len = strlen(value);
}

static int64_t *copy_ints(dl_onnx_graph *g, int count, const int64_t *values) {
    int64_t *copy = dl_arena_alloc(&g->arena, sizeof *copy * (size_t)(count ? count : 1));
    if (count)
        memcpy(copy, values, sizeof *copy * (size_t)count);
    return copy;
}

void dl_onnx_set_texts(dl_onnx_graph *g, Onnx__NodeProto *node, const char *key, int count,
                       const char *value) {
    Onnx__AttributeProto *a =
        add_attribute(g, node, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);
    a->n_strings = (size_t)count;
    a->strings = dl_arena_alloc(&g->arena, sizeof *a->strings * (size_t)count);
    for (int i = 0; i < count; i++)
        a->strings[i] =
            (ProtobufCBinaryData){strlen(value), (uint8_t *)dl_arena_strdup(&g->arena, value)};
}

void dl_onnx_add_second_output(dl_onnx_graph *g, Onnx__NodeProto *node, const char *name) {
    char *first = node->output[0];
    node->output = dl_arena_alloc(&g->arena, 2 * sizeof *node->output);
    node->output[0] = first;
    node->output[1] = dl_arena_strdup(&g->arena, name);
    node->n_output = 2;
}

void dl_onnx_set_ints(dl_onnx_graph *g, Onnx__NodeProto *node, const char *key, int count,
                      const int64_t *values) {
    Onnx__AttributeProto *a =
        add_attribute(g, node, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->n_ints = (size_t)count;
    a->ints = copy_ints(g, count, values);
}

static const char *add_tensor(dl_onnx_graph *g, const char *name, int32_t type, int rank,
                              const int64_t *dims, size_t bytes, const void *values) {
    Onnx__TensorProto *tensor = dl_arena_alloc(&g->arena, sizeof *tensor);
    onnx__tensor_proto__init(tensor);
    tensor->name = dl_arena_strdup(&g->arena, name);
    tensor->has_data_type = true;
    tensor->data_type = type;
    tensor->n_dims = (size_t)rank;
    tensor->dims = copy_ints(g, rank, dims);
    tensor->has_raw_data = true;
    tensor->raw_data.len = bytes;
    tensor->raw_data.data = memcpy(dl_arena_alloc(&g->arena, bytes ? bytes : 1), values, bytes);
    g->proto.initializer =
        grown(g, g->proto.initializer, g->proto.n_initializer, &g->initializer_room);
    g->proto.initializer[g->proto.n_initializer++] = tensor;
    return tensor->name;
}

const char *dl_onnx_floats(dl_onnx_graph *g, const char *name, dl_shape shape,
                           const float *values) {
    int64_t dims[4];
    for (int i = 0; i < shape.rank; i++)
        dims[i] = shape.dim[i];
    return add_tensor(g, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, shape.rank, dims,
                      sizeof *values * (size_t)dl_shape_size(shape), values);
}

const char *dl_onnx_ints(dl_onnx_graph *g, const char *name, int count, const int64_t *values) {
    int64_t dims[1] = {count};
    return add_tensor(g, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 1, dims,
                      sizeof *values * (size_t)count, values);
}

const char *dl_onnx_number(dl_onnx_graph *g, const char *name, float value) {
    return add_tensor(g, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 0, NULL, sizeof value, &value);
}

static Onnx__TensorShapeProto__Dimension *dimension(dl_onnx_graph *g, int64_t value) {
    Onnx__TensorShapeProto__Dimension *dim = dl_arena_alloc(&g->arena, sizeof *dim);
    onnx__tensor_shape_proto__dimension__init(dim);
    if (value > 0) {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        dim->dim_value = value;
    } else {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        dim->dim_param = dl_arena_strdup(&g->arena, "N");
    }
    return dim;
}

void dl_onnx_add_value(dl_onnx_graph *g, bool output, const char *name, int rank,
                       const int64_t *dims) {
    Onnx__ValueInfoProto *value = dl_arena_alloc(&g->arena, sizeof *value);
    Onnx__TypeProto *type = dl_arena_alloc(&g->arena, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = dl_arena_alloc(&g->arena, sizeof *tensor);
    Onnx__TensorShapeProto *shape = dl_arena_alloc(&g->arena, sizeof *shape);
    onnx__value_info_proto__init(value);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    shape->n_dim = (size_t)rank + 1;
    shape->dim = dl_arena_alloc(&g->arena, sizeof *shape->dim * shape->n_dim);
    shape->dim[0] = dimension(g, 0);
    for (int i = 0; i < rank; i++)
        shape->dim[i + 1] = dimension(g, dims[i]);
    tensor->has_elem_type = true;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = shape;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    value->name = dl_arena_strdup(&g->arena, name);
    value->type = type;
    Onnx__ValueInfoProto ***list = output ? &g->proto.output : &g->proto.input;
    size_t *count = output ? &g->proto.n_output : &g->proto.n_input;
    Onnx__ValueInfoProto **larger = dl_arena_alloc(&g->arena, sizeof *larger * (*count + 1));
    for (size_t i = 0; i < *count; i++)
        larger[i] = (*list)[i];
    larger[(*count)++] = value;
    *list = larger;
}
