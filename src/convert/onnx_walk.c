/* SPDX-License-Identifier: MIT */
/* Walks an ONNX graph, node by node. */
#include <stdlib.h>
#include <string.h>

#include "convert/onnx_import.h"

enum { ANY_BATCH = 8191 }; /* stands for an open size: a prime, to be told apart */

/* ---- the operators ---- */

#define WINDOW "kernel_shape strides pads dilations auto_pad "
static const struct {
    const char *op;
    dl_onnx_operator *add;
    int least, most;        /* inputs that must be there; that may be, 0: any number */
    const char *attributes; /* each followed by a space */
} operators[] = {
    {"Add", dl_onnx_in_arithmetic, 2, 2, ""},
    {"AveragePool", dl_onnx_in_pool, 1, 1, WINDOW "ceil_mode count_include_pad "},
    {"BatchNormalization", dl_onnx_in_batch_norm, 5, 5, "epsilon momentum training_mode spatial "},
    {"Cast", dl_onnx_in_same, 1, 1, "to "},
    {"Clip", dl_onnx_in_function, 1, 3, "min max "},
    {"Concat", dl_onnx_in_concat, 1, 0, "axis "},
    {"Constant", dl_onnx_in_constant, 0, 0, "value value_float value_floats value_int value_ints "},
    {"ConstantOfShape", dl_onnx_in_fill, 1, 1, "value "},
    {"Conv", dl_onnx_in_conv, 2, 3, WINDOW "group "},
    {"ConvTranspose", dl_onnx_in_conv_transpose, 2, 3, WINDOW "group output_padding output_shape "},
    {"Div", dl_onnx_in_arithmetic, 2, 2, ""},
    {"Dropout", dl_onnx_in_dropout, 1, 3, "ratio seed "},
    {"Expand", dl_onnx_in_fill, 2, 2, ""},
    {"Flatten", dl_onnx_in_reshape, 1, 1, "axis "},
    {"GRU", dl_onnx_in_recurrent, 3, 6,
     "hidden_size direction linear_before_reset activations layout "},
    {"Gather", dl_onnx_in_gather, 2, 2, "axis "},
    {"Gelu", dl_onnx_in_function, 1, 1, "approximate "},
    {"Gemm", dl_onnx_in_gemm, 2, 3, "alpha beta transA transB "},
    {"GlobalAveragePool", dl_onnx_in_global, 1, 1, ""},
    {"GlobalMaxPool", dl_onnx_in_global, 1, 1, ""},
    {"Identity", dl_onnx_in_same, 1, 1, ""},
    {"InstanceNormalization", dl_onnx_in_instance_norm, 3, 3, "epsilon "},
    {"LRN", dl_onnx_in_lrn, 1, 1, "alpha beta bias size "},
    {"LSTM", dl_onnx_in_recurrent, 3, 8, "hidden_size direction input_forget activations layout "},
    {"LayerNormalization", dl_onnx_in_layer_norm, 2, 3, "axis epsilon stash_type "},
    {"LogSoftmax", dl_onnx_in_softmax, 1, 1, "axis "},
    {"MatMul", dl_onnx_in_matmul, 2, 2, ""},
    {"Max", dl_onnx_in_arithmetic, 1, 0, ""},
    {"MaxPool", dl_onnx_in_pool, 1, 1, WINDOW "ceil_mode storage_order "},
    {"Mean", dl_onnx_in_arithmetic, 1, 0, ""},
    {"Mul", dl_onnx_in_arithmetic, 2, 2, ""},
    {"PRelu", dl_onnx_in_prelu, 2, 2, ""},
    {"Pad", dl_onnx_in_pad, 1, 4, "mode pads value "},
    {"Pow", dl_onnx_in_arithmetic, 2, 2, ""},
    {"RNN", dl_onnx_in_recurrent, 3, 6, "hidden_size direction activations layout "},
    {"ReduceMax", dl_onnx_in_reduce, 1, 2, "axes keepdims noop_with_empty_axes "},
    {"ReduceMean", dl_onnx_in_reduce, 1, 2, "axes keepdims noop_with_empty_axes "},
    {"Reshape", dl_onnx_in_reshape, 2, 2, "allowzero "},
    {"Resize", dl_onnx_in_resize, 1, 4,
     "mode coordinate_transformation_mode nearest_mode cubic_coeff_a exclude_outside "
     "extrapolation_value antialias keep_aspect_ratio_policy "},
    {"Shape", dl_onnx_in_shape, 1, 1, "start end "},
    {"Slice", dl_onnx_in_slice, 1, 5, "starts ends axes "},
    {"Softmax", dl_onnx_in_softmax, 1, 1, "axis "},
    {"Squeeze", dl_onnx_in_reshape, 1, 2, "axes "},
    {"Sub", dl_onnx_in_arithmetic, 2, 2, ""},
    {"Sum", dl_onnx_in_arithmetic, 1, 0, ""},
    {"Transpose", dl_onnx_in_transpose, 1, 1, "perm "},
    {"Unsqueeze", dl_onnx_in_reshape, 1, 2, "axes "},
    {"Upsample", dl_onnx_in_resize, 1, 2, "mode scales "},
    /* the element-wise ones */
    {"Abs", dl_onnx_in_function, 1, 1, ""},
    {"Elu", dl_onnx_in_function, 1, 1, "alpha "},
    {"Erf", dl_onnx_in_function, 1, 1, ""},
    {"Exp", dl_onnx_in_function, 1, 1, ""},
    {"HardSigmoid", dl_onnx_in_function, 1, 1, "alpha beta "},
    {"HardSwish", dl_onnx_in_function, 1, 1, ""},
    {"LeakyRelu", dl_onnx_in_function, 1, 1, "alpha "},
    {"Log", dl_onnx_in_function, 1, 1, ""},
    {"Mish", dl_onnx_in_function, 1, 1, ""},
    {"Neg", dl_onnx_in_function, 1, 1, ""},
    {"Reciprocal", dl_onnx_in_function, 1, 1, ""},
    {"Relu", dl_onnx_in_function, 1, 1, ""},
    {"Selu", dl_onnx_in_function, 1, 1, "alpha gamma "},
    {"Sigmoid", dl_onnx_in_function, 1, 1, ""},
    {"Softplus", dl_onnx_in_function, 1, 1, ""},
    {"Softsign", dl_onnx_in_function, 1, 1, ""},
    {"Sqrt", dl_onnx_in_function, 1, 1, ""},
    {"Tanh", dl_onnx_in_function, 1, 1, ""},
};
enum { OPERATORS = sizeof operators / sizeof *operators };

static int find_operator(const Onnx__NodeProto *node) {
    const char *domain = node->domain ? node->domain : "";
    bool standard = node->op_type && (!*domain || !strcmp(domain, "ai.onnx"));
    for (int i = 0; standard && i < OPERATORS; i++)
        if (!strcmp(operators[i].op, node->op_type))
            return i;
    return -1;
}

static int check_attributes(dl_onnx_import *in, const char *known) {
    int result = 0;
    for (size_t i = 0; i < in->node->n_attribute; i++) {
        const char *name = in->node->attribute[i]->name ? in->node->attribute[i]->name : "";
        size_t length = strlen(name);
        const char *at = known;
        while (at && (strncmp(at, name, length) || at[length] != ' '))
            at = (at = strchr(at, ' ')) && at[1] ? at + 1 : NULL;
        if (!at || !length)
            result = dl_onnx_refuse(in, "the attribute \"%.60s\" is not supported", name);
    }
    return result;
}

/* All that can be refused at once: operators, attributes, numbers of inputs. */
static int check_nodes(dl_onnx_import *in) {
    int result = 0;
    for (size_t n = 0; n < in->graph->n_node; n++) {
        Onnx__NodeProto *node = in->graph->node[n];
        in->node = node;
        int i = find_operator(node);
        if (i < 0) {
            result = dl_onnx_refuse(in, "there is no layer for this operator");
            continue;
        }
        if (!node->n_output || node->n_input < (size_t)operators[i].least ||
            (operators[i].most && node->n_input > (size_t)operators[i].most))
            result = dl_onnx_refuse(in, "it has %zu inputs and %zu outputs", node->n_input,
                                    node->n_output);
        if (check_attributes(in, operators[i].attributes))
            result = -1;
    }
    return result;
}

/* ---- the graph ---- */

static void add_value(dl_onnx_import *in, const char *name) {
    if (name && dl_string_set_find(&in->names, name) < 0)
        dl_string_set_add(&in->names, name);
}

static void add_names(dl_onnx_import *in) {
    const Onnx__GraphProto *g = in->graph;
    for (size_t i = 0; i < g->n_initializer; i++)
        add_value(in, g->initializer[i]->name);
    for (size_t i = 0; i < g->n_input; i++)
        add_value(in, g->input[i]->name);
    for (size_t n = 0; n < g->n_node; n++)
        for (size_t k = 0; k < g->node[n]->n_output; k++)
            add_value(in, g->node[n]->output[k]);
    in->values = dl_arena_alloc(&in->arena, sizeof *in->values * (size_t)(in->names.count + 1));
    for (size_t n = 0; n < g->n_node; n++)
        for (size_t k = 0; k < g->node[n]->n_input; k++) {
            dl_onnx_in_value *value = dl_onnx_find_value(in, g->node[n]->input[k]);
            if (value)
                value->uses++;
        }
    for (size_t i = 0; i < g->n_output; i++) {
        dl_onnx_in_value *value = dl_onnx_find_value(in, g->output[i]->name);
        if (value)
            value->uses++;
    }
}

static int read_initializers(dl_onnx_import *in) {
    const Onnx__GraphProto *g = in->graph;
    int result = 0;
    in->node = NULL;
    for (size_t i = 0; i < g->n_initializer; i++) {
        dl_onnx_in_value *value = dl_onnx_find_value(in, g->initializer[i]->name);
        const dl_onnx_constant *c = dl_onnx_read_tensor(in, g->initializer[i]);
        if (!c)
            result = -1;
        if (!value)
            continue;
        value->known = true;
        value->constant = c;
    }
    if (g->n_sparse_initializer)
        result = dl_onnx_refuse(in, "sparse tensors are not supported");
    return result;
}

/* What the first node that depends on the order of the axes says of it. */
static const Onnx__NodeProto *first_oriented(const dl_onnx_import *in) {
    static const char *const ops[] = {"Conv", "Transpose", "LSTM", "GRU", "RNN", "MatMul"};
    for (size_t n = 0; n < in->graph->n_node; n++)
        for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
            if (!strcmp(in->graph->node[n]->op_type, ops[i]))
                return in->graph->node[n];
    return NULL;
}

/* The places in memory of the input's axes: ours are batch, height, width, channels. */
static void orient_input(dl_onnx_import *in, int rank, int *places) {
    const Onnx__NodeProto *first = first_oriented(in);
    bool transposes = first && !strcmp(first->op_type, "Transpose");
    int64_t perm[4] = {0};
    in->node = first;
    bool last = in->options->layout == DL_LAYOUT_NHWC ||
                (transposes && dl_onnx_get_ints(in, "perm", 4, perm) == 4 && perm[1] == 3);
    in->node = NULL;
    for (int i = 0; i < rank; i++)
        places[i] = i;
    if (rank == 4 && !last)
        memcpy(places, (int[]){0, 3, 1, 2}, 4 * sizeof *places);
    if (rank == 3 && first && !strcmp(first->op_type, "Conv"))
        memcpy(places, (int[]){0, 2, 1}, 3 * sizeof *places);
    if (rank == 3 && first && strchr("LGR", first->op_type[0]) && !transposes) /* time first */
        memcpy(places, (int[]){1, 0, 2}, 3 * sizeof *places);
}

/* The sizes of the axes, 0: open. */
static int declared_dims(dl_onnx_import *in, const Onnx__ValueInfoProto *input, int64_t *dims) {
    const Onnx__TypeProto *type = input->type;
    const Onnx__TypeProto__Tensor *tensor =
        type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? type->tensor_type : NULL;
    if (!tensor || !tensor->shape || tensor->shape->n_dim < 2 || tensor->shape->n_dim > 4)
        return dl_onnx_refuse(in, "the input \"%.60s\" must be a tensor of 2 to 4 axes",
                              input->name);
    for (size_t i = 0; i < tensor->shape->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = tensor->shape->dim[i];
        bool fixed = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        dims[i] = fixed && dim->dim_value > 0 ? dim->dim_value : 0;
    }
    return (int)tensor->shape->n_dim;
}

/* Fills open sizes from --shape. */
static int fill_dims(dl_onnx_import *in, const int *places, int rank, int64_t *dims) {
    const char *given = in->options->shape;
    char *end;
    dl_text text = {0};
    bool open = false;
    int64_t size = 1;
    for (int i = 0; i < rank; i++) {
        if (places[i] && given && *given) {
            int64_t n = strtoll(given, &end, 10);
            if (end == given || n < 1 || n > INT32_MAX || (dims[i] && dims[i] != n) ||
                (*end && *end != 'x')) {
                dl_text_free(&text);
                return dl_onnx_refuse(in, "--shape does not match the file's input");
            }
            dims[i] = n;
            given = *end ? end + 1 : end;
        }
        open |= places[i] && !dims[i];
        if (places[i])
            dl_text_add(&text, dims[i] ? "%s%lld" : "%s?", text.length ? "x" : "",
                        (long long)dims[i]);
        else
            dims[i] = dims[i] ? dims[i] : ANY_BATCH;
        open |= dims[i] > (rank > 2 ? DL_ONNX_LONGEST : INT32_MAX) ||
                (places[i] && !dl_multiply(size, dims[i], &size)) || size > DL_ONNX_MOST / 8;
    }
    int result = open || (given && *given)
                     ? dl_onnx_refuse(in,
                                      "the input has the shape %s (without the batch): give its "
                                      "sizes in that order, such as --shape 3x224x224",
                                      text.data)
                     : 0;
    dl_text_free(&text);
    return result;
}

static int read_input(dl_onnx_import *in) {
    const Onnx__GraphProto *g = in->graph;
    const Onnx__ValueInfoProto *input = NULL;
    in->node = NULL;
    for (size_t i = 0; i < g->n_input; i++) {
        dl_onnx_in_value *value = dl_onnx_find_value(in, g->input[i]->name);
        if (!value || value->constant)
            continue;
        if (input)
            return dl_onnx_refuse(in, "it has several inputs (\"%.60s\", \"%.60s\", …)",
                                  input->name, g->input[i]->name);
        input = g->input[i];
    }
    if (!input)
        return dl_onnx_refuse(in, "it has no input");
    int64_t dims[4];
    int places[4], rank = declared_dims(in, input, dims);
    if (rank < 0)
        return -1;
    orient_input(in, rank, places);
    if (fill_dims(in, places, rank, dims))
        return -1;
    dl_onnx_in_value *value = dl_onnx_find_value(in, input->name);
    value->known = true;
    value->layer = -1;
    value->view = dl_onnx_view_of(rank, dims, places);
    in->input = (dl_shape){rank - 1, {1, 1, 1, 1}};
    for (int i = 0; i < rank; i++) {
        if (places[i])
            in->input.dim[places[i] - 1] = (int)dims[i];
        else
            in->batch = dims[i];
    }
    return 0;
}

/* Nodes whose inputs failed fail without a word. */
static void add_node(dl_onnx_import *in) {
    bool failed = false;
    int found = find_operator(in->node);
    for (size_t k = 0; k < in->node->n_input; k++) {
        const char *name = in->node->input[k];
        const dl_onnx_in_value *value = dl_onnx_value_of(in, k);
        if (!*name ? k < (size_t)operators[found].least : !value || !value->known) {
            dl_onnx_refuse(in, "its input \"%.60s\" is not defined before it", name);
            failed = true;
        }
        failed |= value && value->failed;
    }
    for (size_t k = 0; k < in->node->n_output; k++) {
        const dl_onnx_in_value *value = dl_onnx_find_value(in, in->node->output[k]);
        if (value && value->known) {
            dl_onnx_refuse(in, "its output \"%.60s\" is defined twice", in->node->output[k]);
            return;
        }
    }
    failed = failed || operators[found].add(in);
    for (size_t k = 0; failed && k < in->node->n_output; k++) {
        dl_onnx_in_value *value = dl_onnx_find_value(in, in->node->output[k]);
        if (value)
            value->known = value->failed = true;
    }
}

/* Layers that the output does not depend on are removed. */
static void remove_dead(dl_onnx_import *in, int last) {
    for (int i = 0; i < in->layer_count; i++)
        in->layers[i].removed = i != last;
    for (int i = last; i >= 0; i--)
        for (int k = 0; !in->layers[i].removed && k < in->layers[i].input_count; k++)
            if (in->layers[i].inputs[k] >= 0)
                in->layers[in->layers[i].inputs[k]].removed = false;
}

/* A softmax or sigmoid at the end is part of the loss. */
static void remove_link(dl_onnx_import *in, int last) {
    dl_onnx_layer *layer = &in->layers[last];
    const char *own = layer->activation ? layer->activation : "";
    in->end = !strcmp(layer->type, "softmax")              ? DL_SOFTMAX
              : !strcmp(own, "activation = \"sigmoid\"; ") ? DL_SIGMOID
                                                           : DL_LINEAR;
    if (in->end != DL_LINEAR && layer->inputs[0] >= 0)
        layer->removed = true;
}

/* Activations become options of the layers before them that nobody else reads. */
static void fuse(dl_onnx_import *in) {
    int *readers = xcalloc((size_t)in->layer_count + 1, sizeof *readers);
    int *becomes = xcalloc((size_t)in->layer_count + 1, sizeof *becomes);
    for (int i = 0; i < in->layer_count; i++)
        for (int k = 0; !in->layers[i].removed && k < in->layers[i].input_count; k++)
            readers[in->layers[i].inputs[k] + 1]++;
    for (int i = 0; i < in->layer_count; i++) {
        dl_onnx_layer *layer = &in->layers[i];
        becomes[i] = i;
        for (int k = 0; !layer->removed && k < layer->input_count; k++)
            layer->inputs[k] = layer->inputs[k] < 0 ? -1 : becomes[layer->inputs[k]];
        int source = layer->inputs[0];
        if (layer->removed || strcmp(layer->type, "activation") || source < 0 ||
            !in->layers[source].activates || in->layers[source].activation ||
            readers[source + 1] != 1)
            continue;
        in->layers[source].activation = layer->activation;
        layer->removed = true;
        readers[source + 1] = readers[i + 1];
        becomes[i] = source;
    }
    free(readers);
    free(becomes);
}

static int finish(dl_onnx_import *in) {
    in->node = NULL;
    if (in->graph->n_output != 1)
        return dl_onnx_refuse(in, "it has %zu outputs; a network has one", in->graph->n_output);
    dl_onnx_in_value *value = dl_onnx_find_value(in, in->graph->output[0]->name);
    if (value && value->failed)
        return -1;
    if (!value || !value->known || value->constant)
        return dl_onnx_refuse(in, "its output is not computed");
    in->node = in->graph->node[in->graph->n_node - 1];
    int last = dl_onnx_settle(in, value);
    if (last == -2)
        return -1;
    in->node = NULL;
    if (last < 0)
        return dl_onnx_refuse(in, "it has no layers");
    if (value->view.rank == 2 && !dl_onnx_view_is(&value->view, (int[]){0, 1}))
        return dl_onnx_refuse(in, "its output is a flattened image, in another order than "
                                  "dltrain's");
    remove_dead(in, last);
    remove_link(in, last);
    fuse(in);
    return 0;
}

int dl_onnx_translate(dl_onnx_import *in, const Onnx__ModelProto *model) {
    in->graph = model->graph;
    in->own = model->producer_name && !strcmp(model->producer_name, "dltrain");
    for (size_t i = 0; i < model->n_opset_import; i++)
        if (!model->opset_import[i]->domain || !*model->opset_import[i]->domain)
            in->opset = model->opset_import[i]->version;
    int result = check_nodes(in);
    add_names(in);
    result |= read_initializers(in);
    if (result || read_input(in))
        return -1;
    for (size_t n = 0; n < in->graph->n_node; n++) {
        in->node = in->graph->node[n];
        add_node(in);
    }
    return finish(in) || in->errors ? -1 : 0;
}

void dl_onnx_import_free(dl_onnx_import *in) {
    for (int i = 0; i < in->layer_count; i++)
        dl_text_free(&in->layers[i].options);
    free(in->layers);
    dl_string_set_free(&in->names);
    dl_string_set_free(&in->layer_names);
    dl_text_free(&in->notes);
    dl_arena_free(&in->arena);
}
