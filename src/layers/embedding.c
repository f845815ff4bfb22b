/* SPDX-License-Identifier: MIT */
/* Layers that read indices, x[batch][T] or x[batch][T][1].
   embedding: y[b][t] = W[x[b][t]], y[batch][T][units], where row i of W[vocabulary][units] is the
   learned vector of index i (Bengio et al., "A neural probabilistic language model", JMLR 2003).
   Backward: dW[x[b][t]] += dy[b][t].
   one_hot: y[b][t][c] = 1 for c = x[b][t], else 0; y[batch][T][classes].
   Where x is not an integer from 0 to vocabulary - 1 (classes - 1), the outputs of that step are
   NaN, which stops the run with the name of the layer. dx = 0. */
#include "math/embedding.h"
#include "layers/weights.h"
#include "math/vector.h"

enum { MAX_INDICES = 1 << 24 }; /* that floats represent exactly */

typedef struct {
    int64_t vocabulary, units;
    dl_init init;
} embedding;

typedef struct {
    int64_t classes;
} one_hot;

static const dl_option options[] = {
    DL_INT_OPTION("vocabulary", embedding, vocabulary, DL_REQUIRED, 2, MAX_INDICES,
                  "number of different symbols, whose indices are 0 to vocabulary - 1; any other "
                  "value makes the outputs NaN and stops the run"),
    DL_INT_OPTION("units", embedding, units, DL_REQUIRED, 1, 1 << 16,
                  "length of the vector of each symbol"),
    DL_INIT_OPTIONS(embedding, init, "normal", "0.02", dl_weights_init_names + 1,
                    "; n and m are both `units` here. Before a sinusoidal positional_encoding, "
                    "whose values are of the order of 1, use normal with init_std = 1"),
    DL_VALUES_OPTION(embedding, init),
    DL_OPTIONS_END,
};

static const dl_option one_hot_options[] = {
    DL_INT_OPTION("classes", one_hot, classes, DL_REQUIRED, 2, MAX_INDICES,
                  "number of classes, whose indices are 0 to classes - 1; any other value makes "
                  "the outputs NaN and stops the run"),
    DL_OPTIONS_END,
};

/* Checks that the input is T indices and sets the output's shape, T x channels. */
static int set_shape(dl_layer *layer, int64_t channels, dl_error *error) {
    const dl_shape in = layer->in[0].shape;
    char shape[48];
    if (in.rank > 2 || (in.rank == 2 && in.dim[1] != 1))
        return dl_fail(error, DL_USAGE, "%s: %s needs one index per step (T or Tx1), not %s%s",
                       layer->where, layer->type->kind.name, dl_shape_text(shape, in),
                       in.rank == 2 ? "; for text, set encoding = \"number\"" : "");
    layer->out.shape = dl_shape2(in.dim[0], (int)channels);
    layer->needs_output = false;
    return 0;
}

static void zero_gradient(const dl_layer *layer, const dl_pass *pass) {
    if (layer->in[0].grad)
        dl_zero(layer->in[0].grad, dl_layer_rows(layer, pass));
}

/* ---- embedding ---- */

static int setup(dl_layer *layer, dl_error *error) {
    const embedding *self = layer->self;
    const dl_initializer *initializer = &dl_initializers[self->init.kind];
    if (self->vocabulary * self->units > (int64_t)1 << 33)
        return dl_fail(error, DL_USAGE, "%s: %lld rows of %lld units have too many weights",
                       layer->where, (long long)self->vocabulary, (long long)self->units);
    dl_param weight = {.name = "weight",
                       .shape = dl_shape2((int)self->vocabulary, (int)self->units),
                       .flags = DL_DECAYS | DL_OVERWRITES,
                       .layout = DL_TORCH_SAME,
                       .initializer = initializer,
                       .argument = dl_init_argument(&self->init, initializer),
                       .fan_in = self->units,
                       .fan_out = self->units};
    if (dl_weights_read_values(layer, &self->init, &weight, error))
        return -1;
    dl_layer_add_param(layer, weight);
    return set_shape(layer, self->units, error);
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const embedding *self = layer->self;
    dl_embedding_forward(dl_layer_rows(layer, pass), self->vocabulary, self->units,
                         layer->in[0].value, layer->params[0].value, layer->out.value);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const embedding *self = layer->self;
    dl_embedding_backward(dl_layer_rows(layer, pass), self->vocabulary, self->units,
                          layer->in[0].value, layer->out.grad, layer->params[0].beta,
                          layer->params[0].grad);
    zero_gradient(layer, pass);
}

const dl_layer_type dl_layer_embedding = {
    .kind = {"embedding",
             "maps each index of a vocabulary to a learned vector; the first layer of networks "
             "that read characters or words (encoding = \"number\")",
             sizeof(embedding), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .reads_indices = true,
};

/* ---- one_hot ---- */

static int setup_one_hot(dl_layer *layer, dl_error *error) {
    const one_hot *self = layer->self;
    layer->needs_input = false;
    return set_shape(layer, self->classes, error);
}

static void forward_one_hot(dl_layer *layer, const dl_pass *pass) {
    const one_hot *self = layer->self;
    dl_one_hot(dl_layer_rows(layer, pass), self->classes, layer->in[0].value, layer->out.value);
}

static void backward_one_hot(dl_layer *layer, const dl_pass *pass) {
    zero_gradient(layer, pass);
}

const dl_layer_type dl_layer_one_hot = {
    .kind = {"one_hot", "maps each index to a vector that is 1 at that index and 0 elsewhere",
             sizeof(one_hot), one_hot_options},
    .setup = setup_one_hot,
    .forward = forward_one_hot,
    .backward = backward_one_hot,
    .reads_indices = true,
};
