/* SPDX-License-Identifier: MIT */
/* LSTM, GRU and RNN from ONNX. */
#include <string.h>
#include <strings.h>

#include "convert/onnx_import.h"

typedef struct {
    const char *op, *layer;
    int gates;
    int order[4]; /* ONNX gate g is ours order[g] */
    const char *functions[3];
} recurrent_cell;

static const recurrent_cell cells[] = {
    {"LSTM", "lstm", 4, {0, 3, 1, 2}, {"Sigmoid", "Tanh", "Tanh"}},
    {"GRU", "gru", 3, {1, 0, 2, 0}, {"Sigmoid", "Tanh", NULL}},
    {"RNN", "simple_rnn", 1, {0}, {"Tanh", NULL, NULL}},
};

/* Constant k: [directions][gates · units][columns] (biases: one column) of one direction to
   [columns][gates · units], added to `made`. */
static void put_gates(const dl_onnx_constant *c, const recurrent_cell *cell, int64_t units,
                      int64_t columns, int64_t offset, float *made) {
    for (int g = 0; g < cell->gates; g++)
        for (int64_t u = 0; u < units; u++)
            for (int64_t i = 0; i < columns; i++)
                made[(i * cell->gates + cell->order[g]) * units + u] +=
                    (float)dl_onnx_element(c, offset + (g * units + u) * columns + i);
}

static bool has_shape(const dl_onnx_constant *c, int64_t a, int64_t b, int64_t columns) {
    return c && !c->uniform && c->rank == (columns ? 3 : 2) && c->dim[0] == a && c->dim[1] == b &&
           (!columns || c->dim[2] == columns);
}

/* No lengths, no peepholes, and initial states of zeros. */
static int check_inputs(dl_onnx_import *in) {
    static const char *const names[] = {"sequence_lens", "initial_h", "initial_c", "P"};
    for (size_t k = 4; k < in->node->n_input; k++) {
        const dl_onnx_in_value *value = dl_onnx_value_of(in, k);
        const dl_onnx_constant *c = value ? value->constant : NULL;
        bool zeros = c && k != 4;
        for (int64_t i = 0; zeros && i < (c->uniform ? 1 : c->count); i++)
            zeros = dl_onnx_element(c, i) == 0;
        if (value && !zeros)
            return dl_onnx_refuse(in, "its input %s is not supported%s", names[k - 4],
                                  k == 4 ? "" : " unless it is zero");
    }
    return 0;
}

/* *relu: of RNN. */
static int check_functions(dl_onnx_import *in, const recurrent_cell *cell, int ways, bool *relu) {
    const Onnx__AttributeProto *a = dl_onnx_attribute(in, "activations");
    int each = 0;
    while (each < 3 && cell->functions[each])
        each++;
    *relu = false;
    for (size_t i = 0; a && i < a->n_strings; i++) {
        const ProtobufCBinaryData *s = &a->strings[i];
        const char *usual = cell->functions[i % (size_t)each];
        bool same = s->len == strlen(usual) && !strncasecmp((char *)s->data, usual, s->len);
        bool is_relu = each == 1 && s->len == 4 && !strncasecmp((char *)s->data, "Relu", 4);
        if (i && is_relu != *relu)
            same = is_relu = false;
        *relu = is_relu;
        if ((!same && !is_relu) || a->n_strings != (size_t)(each * ways))
            return dl_onnx_refuse(in, "its attribute activations is not supported");
    }
    if (dl_onnx_get_int(in, "input_forget", 0) || dl_onnx_get_int(in, "layout", 0))
        return dl_onnx_refuse(in, "input_forget and layout are not supported");
    if (cell->gates == 3 && !dl_onnx_get_int(in, "linear_before_reset", 0))
        return dl_onnx_refuse(in, "linear_before_reset must be 1");
    return 0;
}

static void copy_weights(dl_onnx_import *in, dl_onnx_layer *layer, const recurrent_cell *cell,
                         int ways, int64_t units, int64_t inputs) {
    static const char *const names[4][2] = {{"weight", "weight_reverse"},
                                            {"recurrent_weight", "recurrent_weight_reverse"},
                                            {"bias", "bias_reverse"},
                                            {"recurrent_bias", "recurrent_bias_reverse"}};
    int64_t outputs = cell->gates * units;
    const dl_onnx_constant *bias = dl_onnx_constant_of(in, 3);
    for (int way = 0; way < ways; way++) {
        put_gates(dl_onnx_constant_of(in, 1), cell, units, inputs, way * outputs * inputs,
                  dl_onnx_add_tensor(in, layer, names[0][way], inputs * outputs));
        put_gates(dl_onnx_constant_of(in, 2), cell, units, units, way * outputs * units,
                  dl_onnx_add_tensor(in, layer, names[1][way], units * outputs));
        if (!bias)
            continue;
        float *made = dl_onnx_add_tensor(in, layer, names[2][way], outputs);
        put_gates(bias, cell, units, 1, way * 2 * outputs, made);
        if (cell->gates == 3) /* only the gru has two */
            made = dl_onnx_add_tensor(in, layer, names[3][way], outputs);
        put_gates(bias, cell, units, 1, (way * 2 + 1) * outputs, made);
    }
}

static bool is_read(const dl_onnx_import *in, size_t k) {
    if (k >= in->node->n_output || !*in->node->output[k])
        return false;
    int i = dl_string_set_find(&in->names, in->node->output[k]);
    return i >= 0 && in->values[i].uses > 0;
}

int dl_onnx_in_recurrent(dl_onnx_import *in) {
    static const int order[] = {1, 0, 2};
    const recurrent_cell *cell = cells;
    while (strcmp(cell->op, in->node->op_type))
        cell++;
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    const dl_onnx_constant *w = dl_onnx_constant_of(in, 1), *bias = dl_onnx_constant_of(in, 3);
    int64_t units = dl_onnx_get_int(in, "hidden_size", 0);
    const char *direction = dl_onnx_get_text(in, "direction", "forward");
    int ways = strcmp(direction, "bidirectional") ? 1 : 2;
    bool relu, all = is_read(in, 0), last = is_read(in, 1);
    if (check_inputs(in) || check_functions(in, cell, ways, &relu))
        return -1;
    if (!strcmp(direction, "reverse") || (all && last) || is_read(in, 2))
        return dl_onnx_refuse(in,
                              "the direction \"reverse\" and several outputs are not supported");
    int source =
        value->constant || value->view.rank != 3 ? -2 : dl_onnx_arrange(in, value, order, 2);
    if (source == -2)
        return dl_onnx_refuse(in, "its input must be a sequence");
    int64_t steps = value->view.dim[0], inputs = value->view.dim[2], outputs = cell->gates * units;
    bool fits = units > 0 && units <= 1 << 16 && has_shape(w, ways, outputs, inputs) &&
                has_shape(dl_onnx_constant_of(in, 2), ways, outputs, units) &&
                (!bias || has_shape(bias, ways, 2 * outputs, 0));
    if (!fits || (dl_onnx_value_of(in, 3) && !bias))
        return dl_onnx_refuse(in, "its weights must be constants that match hidden_size");
    in->copied += 2 * w->count;
    dl_shape shape =
        last ? dl_shape1((int)(ways * units)) : dl_shape2((int)steps, (int)(ways * units));
    dl_onnx_layer *layer = dl_onnx_new_layer(in, cell->layer, in->node->input[1], source, shape);
    if (!layer)
        return -1;
    dl_text_add(&layer->options, "units = %lld; %s%s%s%s", (long long)units,
                ways > 1 ? "bidirectional = true; " : "", last ? "return = \"last\"; " : "",
                bias ? "" : "bias = false; ", relu ? "activation = \"relu\"; " : "");
    copy_weights(in, layer, cell, ways, units, inputs);
    const int64_t dims[4] = {steps, ways, value->view.dim[1], units};
    dl_onnx_view view = last ? dl_onnx_view_of(3, dims + 1, (int[]){1, 0, 2})
                             : dl_onnx_view_of(4, dims, (int[]){1, 2, 0, 3});
    dl_onnx_set_view(in, last ? 1 : 0, in->layer_count - 1, &view);
    return 0;
}
