/* SPDX-License-Identifier: MIT */
#include "convert/onnx_layer.h"

#include <math.h>
#include <string.h>

/* ---- sequences ---- */

/* Numbers of symbols: floats here, whole numbers there, one a step. */
static const char *symbols(dl_onnx_export *x, const dl_layer *l) {
    dl_onnx_value *in = dl_onnx_input(x, l, 0);
    const char *name = dl_onnx_last(x, in);
    int64_t steps = in->shape.dim[0];
    if (in->shape.rank == 2)
        name = dl_onnx_reshape(x, name, dl_onnx_layer_name(x, l, "steps"), 1, &steps);
    const char *made = dl_onnx_layer_name(x, l, "symbols");
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "Cast", made, name, NULL);
    dl_onnx_set_int(&x->graph, node, "to", ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
    return made;
}

int dl_onnx_add_embedding(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    const dl_param *weight = dl_onnx_param(l, "weight");
    const char *table =
        dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "weight"), weight->shape, weight->value);
    const char *name = dl_onnx_layer_name(x, l, "gather");
    dl_onnx_node(&x->graph, "Gather", name, table, symbols(x, l), NULL);
    return dl_onnx_finish(x, l, name, false, error);
}

int dl_onnx_add_one_hot(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    int64_t classes = dl_onnx_int(l, "classes", 2);
    const char *name = dl_onnx_layer_name(x, l, "one_hot"), *in = symbols(x, l);
    const char *depth = dl_onnx_ints(&x->graph, dl_onnx_layer_name(x, l, "depth"), 1, &classes);
    const char *values = dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "values"), dl_shape1(2),
                                        (float[]){0, 1});
    dl_onnx_node(&x->graph, "OneHot", name, in, depth, values, NULL);
    return dl_onnx_finish(x, l, name, false, error);
}

int dl_onnx_add_positions(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    const dl_param *learned = dl_onnx_param(l, "weight");
    int steps = l->out.shape.dim[0], channels = l->out.shape.dim[1];
    float *waves = dl_onnx_scratch(x, (int64_t)steps * channels);
    for (int t = 0; t < steps && !learned; t++)
        for (int c = 0; c < channels; c++) {
            double angle = t / pow(10000, (double)(c - c % 2) / channels);
            waves[t * channels + c] = (float)(c % 2 ? cos(angle) : sin(angle));
        }
    const char *table = dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "positions"),
                                       l->out.shape, learned ? learned->value : waves);
    return dl_onnx_finish(x, l,
                          dl_onnx_binary(x, "Add", dl_onnx_last(x, dl_onnx_input(x, l, 0)), table,
                                         dl_onnx_layer_name(x, l, "placed")),
                          false, error);
}

/* The gates of a recurrent layer in ONNX's order, from ours. */
typedef struct {
    const char *op;
    int gates;
    int order[4]; /* ONNX gate g is ours order[g] */
} cell;

/* [gates · units][inputs] in ONNX's order, of [inputs][gates · units]. */
static void put_gates(const cell *c, int64_t inputs, int64_t units, const float *w, float *made) {
    for (int g = 0; g < c->gates; g++)
        for (int64_t u = 0; u < units; u++)
            for (int64_t i = 0; i < inputs; i++)
                made[(g * units + u) * inputs + i] =
                    w[i * c->gates * units + c->order[g] * units + u];
}

void dl_onnx_permute(dl_onnx_export *x, const char *in, const char *out, int count,
                     const int64_t *order) {
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "Transpose", out, in, NULL);
    dl_onnx_set_ints(&x->graph, node, "perm", count, order);
}

/* One of the three tensors that ONNX wants, of both directions: [ways][gates · units][inputs]. */
static const char *recurrent_weight(dl_onnx_export *x, const dl_layer *l, const cell *c, int ways,
                                    int64_t units, const char *name) {
    int64_t count = dl_onnx_param(l, name)->count, inputs = count / (c->gates * units);
    float *made = dl_onnx_scratch(x, ways * count);
    for (int way = 0; way < ways; way++) {
        const char *own = way ? dl_arena_printf(&x->graph.arena, "%s_reverse", name) : name;
        put_gates(c, inputs, units, dl_onnx_param(l, own)->value, made + way * count);
    }
    dl_shape shape = dl_shape3(ways, (int)(c->gates * units), (int)inputs);
    return dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, name), shape, made);
}

/* [ways][2 · gates · units]: the biases of the inputs, then those of the state. */
static const char *recurrent_bias(dl_onnx_export *x, const dl_layer *l, const cell *c, int ways,
                                  int64_t units) {
    static const char *const names[2][2] = {{"bias", "bias_reverse"},
                                            {"recurrent_bias", "recurrent_bias_reverse"}};
    int64_t count = c->gates * units;
    float *made = dl_onnx_scratch(x, 2 * ways * count);
    for (int way = 0; way < ways; way++)
        for (int k = 0; k < 2; k++)
            if (dl_onnx_param(l, names[k][way]))
                put_gates(c, 1, units, dl_onnx_param(l, names[k][way])->value,
                          made + (2 * way + k) * count);
    return dl_onnx_floats(&x->graph, dl_onnx_layer_name(x, l, "bias"),
                          dl_shape2(ways, (int)(2 * count)), made);
}

/* The state that a stateful layer begins with and ends with are an input and an output of the
   graph, [N][units], named after output k of the node: "lstm_1.state" and "lstm_1.next_state". */
static void carry(dl_onnx_export *x, const dl_layer *l, Onnx__NodeProto *node, size_t k) {
    static const char *const names[2][2] = {{"state", "next_state"}, {"memory", "next_memory"}};
    const char *from = dl_onnx_layer_name(x, l, names[k - 1][0]);
    const char *to = dl_onnx_layer_name(x, l, names[k - 1][1]);
    const char *axes = dl_onnx_ints(&x->graph, dl_onnx_name(x, from, "axes"), 1, (int64_t[]){0});
    int64_t units = dl_onnx_int(l, "units", 1);
    dl_onnx_add_value(&x->graph, false, from, 1, &units);
    dl_onnx_add_value(&x->graph, true, to, 1, &units);
    /* before the node, which is the last one */
    Onnx__GraphProto *g = &x->graph.proto;
    dl_onnx_node(&x->graph, "Unsqueeze", dl_onnx_name(x, from, "first"), from, axes, NULL);
    Onnx__NodeProto *made = g->node[g->n_node - 1];
    size_t at = g->n_node - 1;
    while (g->node[at] != node)
        g->node[at] = g->node[at - 1], at--;
    g->node[at + 1] = node;
    g->node[at] = made;
    while (node->n_input < 4 + k)
        dl_onnx_add_input(&x->graph, node, "");
    dl_onnx_add_input(&x->graph, node, made->output[0]);
    dl_onnx_node(&x->graph, "Squeeze", to, node->output[k], axes, NULL);
}

static int add_recurrent(dl_onnx_export *x, const dl_layer *l, const cell *c, dl_error *error) {
    (void)error;
    int64_t units = dl_onnx_int(l, "units", 1);
    int ways = dl_onnx_flag(l, "bidirectional") ? 2 : 1, steps = l->in[0].shape.dim[0];
    bool last = dl_onnx_choice(l, "return");
    const char *in = dl_onnx_layer_name(x, l, "steps"), *all = dl_onnx_layer_name(x, l, "states");
    dl_onnx_permute(x, dl_onnx_last(x, dl_onnx_input(x, l, 0)), in, 3, (int64_t[]){1, 0, 2});
    const char *weight = recurrent_weight(x, l, c, ways, units, "weight");
    const char *back = recurrent_weight(x, l, c, ways, units, "recurrent_weight");
    const char *bias = recurrent_bias(x, l, c, ways, units);
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, c->op, all, in, weight, back, bias, NULL);
    dl_onnx_set_int(&x->graph, node, "hidden_size", units);
    dl_onnx_set_text(&x->graph, node, "direction", ways > 1 ? "bidirectional" : "forward");
    if (!strcmp(c->op, "GRU"))
        dl_onnx_set_int(&x->graph, node, "linear_before_reset", 1);
    if (!strcmp(c->op, "RNN") && dl_onnx_choice(l, "activation"))
        dl_onnx_set_texts(&x->graph, node, "activations", ways, "Relu");
    /* outputs: [steps][ways][N][units], the last states [ways][N][units], the last memories */
    node->output = dl_arena_alloc(&x->graph.arena, 3 * sizeof *node->output);
    node->output[0] = dl_arena_strdup(&x->graph.arena, last ? "" : all);
    node->output[1] = last ? dl_arena_strdup(&x->graph.arena, all)
                           : dl_arena_printf(&x->graph.arena, "%s.last_states", l->name);
    node->output[2] = dl_arena_printf(&x->graph.arena, "%s.last_memories", l->name);
    const char *ordered = dl_onnx_layer_name(x, l, "ordered");
    if (last)
        dl_onnx_permute(x, all, ordered, 3, (int64_t[]){1, 0, 2});
    else
        dl_onnx_permute(x, all, ordered, 4, (int64_t[]){2, 0, 1, 3});
    node->n_output = last ? 2 : 1;
    for (size_t k = 1; dl_onnx_flag(l, "stateful") && k <= (strcmp(c->op, "LSTM") ? 1 : 2); k++) {
        node->n_output = k + 1;
        carry(x, l, node, k);
    }
    int64_t dims[2] = {steps, ways * units};
    const char *made = dl_onnx_reshape(x, ordered, dl_onnx_layer_name(x, l, "output"), last ? 1 : 2,
                                       last ? dims + 1 : dims);
    dl_onnx_set_output(x, l, NULL, made);
    return 0;
}

int dl_onnx_add_lstm(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    static const cell lstm = {"LSTM", 4, {0, 3, 1, 2}}; /* i, o, f, c of our i, f, g, o */
    return add_recurrent(x, l, &lstm, error);
}

int dl_onnx_add_gru(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    static const cell gru = {"GRU", 3, {1, 0, 2, 0}}; /* z, r, h of our r, z, n */
    return add_recurrent(x, l, &gru, error);
}

int dl_onnx_add_rnn(dl_onnx_export *x, const dl_layer *l, dl_error *error) {
    static const cell rnn = {"RNN", 1, {0}};
    return add_recurrent(x, l, &rnn, error);
}
