/* SPDX-License-Identifier: MIT */
/* A net as an ONNX file: IR version 8, opset 17, the graph of inference. Its input is what the data
   files hold, not normalized, unless asked for otherwise. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/version.h"
#include "convert/convert.h"
#include "convert/onnx_export.h"
#include "convert/onnx_import.h"

enum { IR_VERSION = 8, OPSET = 17 };

/* The shape as the graph's ends have it. */
static int declared(dl_shape shape, dl_layout layout, int64_t dims[4]) {
    bool first = shape.rank == 3 && layout == DL_LAYOUT_NCHW;
    for (int i = 0; i < shape.rank; i++)
        dims[i] = shape.dim[first ? (i + shape.rank - 1) % shape.rank : i];
    return shape.rank;
}

/* A constant that is broadcast over [N, H, W, C] or [N, C, H, W]: one number, one a channel, or one
   an element. */
static const char *spread(dl_onnx_export *x, const char *name, dl_shape shape, bool first,
                          int64_t count, const float *numbers) {
    int64_t channels = dl_shape_channels(shape), places = dl_shape_size(shape) / channels;
    if (count == 1)
        return dl_onnx_number(&x->graph, name, numbers[0]);
    if (count == channels)
        return dl_onnx_by_channel(x, name, shape, first, numbers);
    if (!first)
        return dl_onnx_floats(&x->graph, name, shape, numbers);
    float *turned = dl_arena_alloc(&x->graph.arena, sizeof *turned * (size_t)count);
    for (int64_t p = 0; p < places; p++)
        for (int64_t c = 0; c < channels; c++)
            turned[c * places + p] = numbers[p * channels + c];
    dl_shape other = shape;
    for (int i = 0; i < shape.rank; i++)
        other.dim[i] = shape.dim[(i + shape.rank - 1) % shape.rank];
    return dl_onnx_floats(&x->graph, name, other, turned);
}

/* (in - shift) * scale. */
static const char *normalize(dl_onnx_export *x, const dl_normalization *n, dl_shape shape,
                             bool first, const char *in) {
    dl_onnx_node(&x->graph, "Sub", "input.shifted", in,
                 spread(x, "input.shift", shape, first, n->count, n->shift), NULL);
    dl_onnx_node(&x->graph, "Mul", "input.normalized", "input.shifted",
                 spread(x, "input.scale", shape, first, n->count, n->scale), NULL);
    return "input.normalized";
}

/* in / scale + shift. */
static const char *denormalize(dl_onnx_export *x, const dl_normalization *n, dl_shape shape,
                               bool first, const char *in) {
    dl_onnx_node(&x->graph, "Div", "output.scaled", in,
                 spread(x, "output.scale", shape, first, n->count, n->scale), NULL);
    dl_onnx_node(&x->graph, "Add", "output.denormalized", "output.scaled",
                 spread(x, "output.shift", shape, first, n->count, n->shift), NULL);
    return "output.denormalized";
}

static void add_input(dl_onnx_export *x, const dl_model *model, const dl_convert_options *o) {
    const dl_normalization *n = &model->data.input;
    dl_shape shape = model->net.input;
    bool first = shape.rank == 3 && o->layout == DL_LAYOUT_NCHW;
    int64_t dims[4];
    int rank = declared(shape, o->layout, dims);
    dl_onnx_add_value(&x->graph, false, "input", rank, dims);
    const char *name = n->count && !o->raw ? normalize(x, n, shape, first, "input") : "input";
    bool same = dl_onnx_is_row(shape);
    x->values[0] = (dl_onnx_value){first || same ? name : NULL, first ? NULL : name, shape};
}

static int add_output(dl_onnx_export *x, const dl_model *model, const dl_convert_options *o,
                      dl_error *error) {
    const dl_normalization *n = &model->data.target;
    dl_onnx_value *value = &x->values[model->net.layer_count];
    bool first = value->shape.rank == 3 && o->layout == DL_LAYOUT_NCHW;
    const char *name = first ? dl_onnx_first(x, value) : dl_onnx_last(x, value);
    dl_activation link = {.kind = DL_LINEAR};
    if (model->target.classes && o->probabilities)
        link.kind = model->link > 0 ? model->link : DL_LINEAR;
    if (!model->target.classes && !o->raw)
        link.kind = model->loss->link;
    if (!(name = dl_onnx_activation(x, &link, name, first ? 1 : -1)))
        return dl_fail(error, DL_USAGE, "the output's function has no ONNX operator");
    if (!model->target.classes && n->count && !o->raw)
        name = denormalize(x, n, value->shape, first, name);
    dl_onnx_node(&x->graph, "Identity", "output", name, NULL);
    int64_t dims[4];
    int rank = declared(value->shape, o->layout, dims);
    dl_onnx_add_value(&x->graph, true, "output", rank, dims);
    Onnx__GraphProto *g = &x->graph.proto; /* states come after the output */
    Onnx__ValueInfoProto *state = g->output[0];
    g->output[0] = g->output[g->n_output - 1];
    g->output[g->n_output - 1] = state;
    return 0;
}

/* The classes' names, a line each, as metadata. */
static void add_classes(dl_onnx_export *x, const dl_model *model, Onnx__ModelProto *proto) {
    const dl_schema *schema = &model->data.schema;
    if (!schema->classes)
        return;
    dl_text names = {0};
    for (int c = 0; c < schema->classes; c++) {
        char number[16];
        dl_text_add(&names, "%s%s", c ? "\n" : "", dl_schema_class(schema, c, number));
    }
    Onnx__StringStringEntryProto *entry = dl_arena_alloc(&x->graph.arena, sizeof *entry);
    onnx__string_string_entry_proto__init(entry);
    entry->key = dl_arena_strdup(&x->graph.arena, "classes");
    entry->value = dl_arena_strdup(&x->graph.arena, names.data);
    dl_text_free(&names);
    proto->metadata_props = dl_arena_alloc(&x->graph.arena, sizeof entry);
    proto->metadata_props[0] = entry;
    proto->n_metadata_props = 1;
}

static int write_proto(const Onnx__ModelProto *proto, const char *path, dl_error *error) {
    size_t size = onnx__model_proto__get_packed_size(proto);
    if (size > INT32_MAX)
        return dl_fail(error, DL_USAGE, "%s: ONNX files end at 2 GB, the net needs %.1f GB", path,
                       (double)size / 1e9);
    uint8_t *bytes = xmalloc(size);
    onnx__model_proto__pack(proto, bytes);
    int result = dl_output_write(path, bytes, size, error);
    free(bytes);
    return result;
}

static int write_model(dl_onnx_export *x, const dl_model *model, const char *path,
                       dl_error *error) {
    Onnx__ModelProto proto;
    Onnx__OperatorSetIdProto opset, *opsets[] = {&opset};
    onnx__model_proto__init(&proto);
    onnx__operator_set_id_proto__init(&opset);
    opset.domain = "";
    opset.has_version = proto.has_ir_version = true;
    opset.version = OPSET;
    proto.ir_version = IR_VERSION;
    proto.producer_name = "dltrain";
    proto.producer_version = DL_VERSION;
    proto.n_opset_import = 1;
    proto.opset_import = opsets;
    proto.graph = &x->graph.proto;
    add_classes(x, model, &proto);
    return write_proto(&proto, path, error);
}

static int write_onnx(dl_model *model, const dl_convert_options *options, const char *path,
                      dl_error *error) {
    const dl_net *net = &model->net;
    dl_onnx_export x = {.net = net};
    dl_onnx_graph_open(&x.graph, model->name);
    x.values = dl_arena_alloc(&x.graph.arena, sizeof *x.values * ((size_t)net->layer_count + 1));
    add_input(&x, model, options);
    int result = 0;
    for (int i = 0; i < net->layer_count && !result; i++)
        if (dl_net_head(net, i) < 0)
            result = dl_onnx_add_layer(&x, &net->layers[i], error);
    if (!result)
        result = add_output(&x, model, options, error);
    if (!result)
        result = write_model(&x, model, path, error);
    dl_onnx_graph_close(&x.graph);
    return result;
}

const dl_foreign_format dl_foreign_onnx = {
    .name = "onnx",
    .ending = ".onnx",
    .help = "ONNX, of onnxruntime and other engines: the graph of inference",
    .write = write_onnx,
    .read = dl_onnx_read,
};
