/* SPDX-License-Identifier: MIT */
/* Multi-head self-attention: Vaswani et al., "Attention is all you need", NIPS 2017. Each step
   attends to all others (`causal`: to itself and those preceding it):
     [q k v] = x W + b,  per head  o = softmax(q k' / sqrt(d)) v,  y = [o of all heads] V + c.
   x[batch][T][C], W[C][3 units], b[3 units], V[units][units], c[units], y[batch][T][units];
   d = units / heads. The columns of W are the queries of head 0, head 1, …, then the keys, then the
   values: the transpose of PyTorch's in_proj_weight.
   Backward:  dV += o' dy,  dc += sum of dy,  do = dy V';  through the heads (math/attention.h) to
   dz, the gradient of [q k v];  dW += x' dz,  db += sum of dz,  dx = dz W'. */
#include "layers/weights.h"
#include "math/attention.h"
#include "math/gemm.h"

typedef struct {
    int64_t heads, units;
    bool causal;
    double dropout;
    dl_weights weights;
    dl_attention attention;
    int qkv, softmax, context; /* saved: x W + b, softmax of each head (-1: none), o */
    int dqkv, dcontext, scratch;
} attention;

static const dl_option options[] = {
    DL_INT_OPTION("heads", attention, heads, DL_REQUIRED, 1, 1 << 12,
                  "number of attention heads, each of units / heads channels; must divide units. "
                  "32 to 128 channels per head are usual"),
    DL_INT_OPTION(
        "units", attention, units, DL_NO_DEFAULT, 1, 1 << 16,
        "number of outputs per step; default: as many as inputs, as residual connections require"),
    DL_BOOL_OPTION(
        "causal", attention, causal, "false",
        "each step attends only to itself and to preceding steps; for predicting the next symbol"),
    DL_FLOAT_OPTION("dropout", attention, dropout, "0.0", 0, 0.999999,
                    "probability that an attention weight is zeroed in training"),
    DL_WEIGHT_OPTIONS(attention, weights),
    DL_OPTIONS_END,
};

enum { QKV_WEIGHT, OUTPUT_WEIGHT, QKV_BIAS, OUTPUT_BIAS }; /* parameters */

/* The divisor of `units` closest to `heads`. */
static int64_t nearest_heads(int64_t heads, int64_t units) {
    for (int64_t apart = 1;; apart++) {
        if (heads > apart && units % (heads - apart) == 0)
            return heads - apart;
        if (units % (heads + apart) == 0)
            return heads + apart;
    }
}

static int check(dl_layer *layer, dl_error *error) {
    attention *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    int64_t weights, values;
    if (dl_layer_check_sequence(layer, error))
        return -1;
    if (self->weights.init.values || self->weights.bias_values ||
        dl_weights_initializer(&self->weights) == &dl_initializers[DL_INIT_VALUES])
        return dl_fail(error, DL_USAGE,
                       "%s: values are for layers of one weight; training.init_from sets these",
                       layer->where);
    if (!self->units)
        self->units = in.dim[1];
    if (self->heads > self->units)
        return dl_fail(error, DL_USAGE, "%s: %lld heads are more than %lld units", layer->where,
                       (long long)self->heads, (long long)self->units);
    if (self->units % self->heads)
        return dl_fail(error, DL_USAGE, "%s: %lld heads do not divide %lld units (%lld do)",
                       layer->where, (long long)self->heads, (long long)self->units,
                       (long long)nearest_heads(self->heads, self->units));
    if (3 * self->units * (in.dim[1] + self->units) > (int64_t)1 << 33)
        return dl_fail(error, DL_USAGE, "%s: %d channels and %lld units have too many weights",
                       layer->where, in.dim[1], (long long)self->units);
    weights = self->heads * in.dim[0];
    if (!dl_multiply(weights, (int64_t)in.dim[0] * layer->max_batch, &values) || values > (int64_t)1
                                                                                              << 36)
        return dl_fail(error, DL_USAGE,
                       "%s: %d x %d steps and %lld heads need too much memory for a batch of %d",
                       layer->where, in.dim[0], in.dim[0], (long long)self->heads,
                       layer->max_batch);
    return 0;
}

static void add_weight(dl_layer *layer, const char *name, int inputs, int64_t outputs) {
    const attention *self = layer->self;
    const dl_initializer *initializer = dl_weights_initializer(&self->weights);
    dl_layer_add_param(layer,
                       (dl_param){.name = name,
                                  .shape = dl_shape2(inputs, (int)outputs),
                                  .flags = DL_DECAYS | DL_OVERWRITES,
                                  .initializer = initializer,
                                  .argument = dl_init_argument(&self->weights.init, initializer),
                                  .fan_in = inputs,
                                  .fan_out = self->units});
}

static void add_bias(dl_layer *layer, const char *name, int64_t outputs) {
    dl_layer_add_param(layer,
                       (dl_param){.name = name,
                                  .shape = dl_shape1((int)outputs),
                                  .initializer = &dl_initializers[DL_INIT_CONSTANT],
                                  .argument = ((const attention *)layer->self)->weights.bias_init,
                                  .fan_in = 1,
                                  .fan_out = 1});
}

static int setup(dl_layer *layer, dl_error *error) {
    attention *self = layer->self;
    if (check(layer, error))
        return -1;
    const int steps = layer->in[0].shape.dim[0], channels = layer->in[0].shape.dim[1];
    const int64_t units = self->units, rows = (int64_t)layer->max_batch * steps;
    self->attention = (dl_attention){self->heads,  steps,         units / self->heads,
                                     self->causal, self->dropout, layer->threads};
    layer->varies = self->dropout > 0;
    add_weight(layer, "qkv_weight", channels, 3 * units);
    add_weight(layer, "output_weight", (int)units, units);
    if (self->weights.bias) {
        add_bias(layer, "qkv_bias", 3 * units);
        add_bias(layer, "output_bias", units);
    }
    self->qkv = dl_layer_add_floats(layer, DL_SAVED, 3 * rows * units);
    self->context = dl_layer_add_floats(layer, DL_SAVED, rows * units);
    self->scratch = dl_layer_add_floats(layer, DL_SCRATCH, dl_attention_scratch(&self->attention));
    self->softmax = -1;
    if (layer->training) {
        self->softmax = dl_layer_add_floats(
            layer, DL_SAVED, layer->max_batch * dl_attention_weights(&self->attention));
        self->dqkv = dl_layer_add_floats(layer, DL_SCRATCH, 3 * rows * units);
        self->dcontext = dl_layer_add_floats(layer, DL_SCRATCH, rows * units);
    }
    layer->out.shape = dl_shape2(steps, (int)units);
    layer->needs_output = false;
    layer->operations = 2 * steps * units * (3 * channels + units) +
                        4 * units * steps * (self->causal ? (steps + 1) / 2 : steps);
    return 0;
}

/* The random numbers of the dropout mask; NULL if there is no dropout. */
static const dl_draw *draw_of(const dl_layer *layer, const dl_pass *pass, dl_draw *draw) {
    const attention *self = layer->self;
    if (!pass->training || self->dropout == 0)
        return NULL;
    *draw = dl_layer_draw(layer, DL_FOR_DROPOUT, pass);
    return draw;
}

static const dl_activation linear = {.kind = DL_LINEAR};

static void forward(dl_layer *layer, const dl_pass *pass) {
    const attention *self = layer->self;
    const dl_param *p = layer->params;
    const int64_t rows = (int64_t)pass->batch * self->attention.steps, units = self->units;
    const bool bias = self->weights.bias;
    float *qkv = layer->buffers[self->qkv].memory, *context = layer->buffers[self->context].memory;
    dl_draw draw;
    dl_gemm_activate(rows, 3 * units, layer->in[0].shape.dim[1], layer->in[0].value,
                     p[QKV_WEIGHT].value, bias ? p[QKV_BIAS].value : NULL, &linear, NULL, qkv);
    dl_attention_forward(&self->attention, pass->batch, draw_of(layer, pass, &draw), qkv,
                         self->softmax < 0 ? NULL : layer->buffers[self->softmax].memory, context,
                         layer->buffers[self->scratch].memory);
    dl_gemm_activate(rows, units, units, context, p[OUTPUT_WEIGHT].value,
                     bias ? p[OUTPUT_BIAS].value : NULL, &linear, NULL, layer->out.value);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const attention *self = layer->self;
    const dl_param *p = layer->params;
    const int64_t rows = (int64_t)pass->batch * self->attention.steps, units = self->units;
    const int64_t channels = layer->in[0].shape.dim[1];
    const float *qkv = layer->buffers[self->qkv].memory;
    const float *context = layer->buffers[self->context].memory;
    float *dqkv = layer->buffers[self->dqkv].memory, *dy = layer->out.grad;
    float *dcontext = layer->buffers[self->dcontext].memory;
    dl_draw draw;
    dl_gemm(true, false, units, units, rows, context, dy, p[OUTPUT_WEIGHT].beta,
            p[OUTPUT_WEIGHT].grad);
    dl_gemm(false, true, rows, units, units, dy, p[OUTPUT_WEIGHT].value, 0, dcontext);
    dl_attention_backward(&self->attention, pass->batch, draw_of(layer, pass, &draw), qkv,
                          layer->buffers[self->softmax].memory, dcontext, dqkv,
                          layer->buffers[self->scratch].memory);
    dl_gemm(true, false, channels, 3 * units, rows, layer->in[0].value, dqkv, p[QKV_WEIGHT].beta,
            p[QKV_WEIGHT].grad);
    if (self->weights.bias) {
        dl_activate_backward(&linear, rows, units, NULL, dy, dy, p[OUTPUT_BIAS].grad);
        dl_activate_backward(&linear, rows, 3 * units, NULL, dqkv, dqkv, p[QKV_BIAS].grad);
    }
    if (layer->in[0].grad)
        dl_gemm(false, true, rows, channels, 3 * units, dqkv, p[QKV_WEIGHT].value, 0,
                layer->in[0].grad);
}

static dl_extent reach(const dl_layer *layer, int input, int axis, int out) {
    const attention *self = layer->self;
    return self->causal ? (dl_extent){0, out, 1} : dl_layer_reach_all(layer, input, axis, out);
}

const dl_layer_type dl_layer_multi_head_attention = {
    .kind = {"multi_head_attention",
             "multi-head self-attention, as in transformers: each step of a sequence attends to "
             "the others. It ignores their order, so add a positional_encoding before it. Its "
             "weights are qkv_weight, with 3 x units columns (queries, keys and values of all "
             "heads), and output_weight, which combines the heads",
             sizeof(attention), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .reach = reach,
};
