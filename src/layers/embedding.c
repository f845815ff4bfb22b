/* SPDX-License-Identifier: MIT */
/* Layers that read whole numbers: a sequence x[batch][T], or x[batch][T][1], of symbols' numbers.
   embedding: y[b][t] = W[x[b][t]], where W[vocabulary][units] has a row of learned numbers for each
   symbol (Bengio et al., "A neural probabilistic language model", JMLR 2003); y[batch][T][units].
   Backward: dW[x[b][t]] += dy[b][t].
   one_hot: y[b][t][c] = 1 for c = x[b][t], else 0; y[batch][T][classes].
   Where x is no whole number from 0 on and below vocabulary (or classes) the outputs of that step
   are NaN, so that a run stops with the layer's name. x has no slope: dx = 0. */
#include "math/embedding.h"
#include "layers/weights.h"
#include "math/vector.h"

enum { MOST = 1 << 24 }; /* different numbers, all of which are floats */

typedef struct {
    int64_t vocabulary, units;
    dl_init init;
} embedding;

typedef struct {
    int64_t classes;
} one_hot;

static const dl_option options[] = {
    DL_INT_OPTION("vocabulary", embedding, vocabulary, DL_REQUIRED, 2, MOST,
                  "how many different numbers there are: 0 to vocabulary - 1. Of any other, or one "
                  "that is not "
                  "whole, the outputs are NaN, and the run stops"),
    DL_INT_OPTION("units", embedding, units, DL_REQUIRED, 1, 1 << 16,
                  "length of the row that each number has"),
    DL_INIT_OPTIONS(embedding, init, "normal", "0.02", dl_weights_init_names + 1,
                    "; n and m are both units here. With a sinusoidal positional_encoding, whose "
                    "numbers are about 1 large, normal with init_std = 1"),
    DL_OPTIONS_END,
};

static const dl_option one_hot_options[] = {
    DL_INT_OPTION(
        "classes", one_hot, classes, DL_REQUIRED, 2, MOST,
        "how many different numbers there are: 0 to classes - 1. Of any other, or one that is not "
        "whole, the outputs are NaN, and the run stops"),
    DL_OPTIONS_END,
};

/* Of an input of T numbers: the output's shape, T x channels. */
static int set_shape(dl_layer *layer, int64_t channels, dl_error *error) {
    const dl_shape in = layer->in[0].shape;
    char shape[48];
    if (in.rank > 2 || (in.rank == 2 && in.dim[1] != 1))
        return dl_fail(error, DL_USAGE, "%s: %s reads one whole number a step (T or Tx1), not %s%s",
                       layer->where, layer->type->kind.name, dl_shape_text(shape, in),
                       in.rank == 2 ? "; of a text, encoding = \"number\" makes them" : "");
    layer->out.shape = dl_shape2(in.dim[0], (int)channels);
    layer->needs_output = false;
    return 0;
}

static int64_t rows_of(const dl_layer *layer, const dl_pass *pass) {
    return (int64_t)pass->batch * layer->out.shape.dim[0];
}

static void no_slope(const dl_layer *layer, const dl_pass *pass) {
    if (layer->in[0].grad)
        dl_zero(layer->in[0].grad, rows_of(layer, pass));
}

/* ---- embedding ---- */

static int setup(dl_layer *layer, dl_error *error) {
    const embedding *self = layer->self;
    const dl_initializer *initializer = &dl_initializers[self->init.kind];
    if (self->vocabulary * self->units > (int64_t)1 << 33)
        return dl_fail(error, DL_USAGE, "%s: %lld rows of %lld units are too many weights",
                       layer->where, (long long)self->vocabulary, (long long)self->units);
    dl_layer_add_param(layer,
                       (dl_param){.name = "weight",
                                  .shape = dl_shape2((int)self->vocabulary, (int)self->units),
                                  .flags = DL_DECAYS | DL_OVERWRITES,
                                  .initializer = initializer,
                                  .number = dl_init_number(&self->init, initializer),
                                  .fan_in = self->units,
                                  .fan_out = self->units});
    return set_shape(layer, self->units, error);
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const embedding *self = layer->self;
    dl_embedding_forward(rows_of(layer, pass), self->vocabulary, self->units, layer->in[0].value,
                         layer->params[0].value, layer->out.value);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const embedding *self = layer->self;
    dl_embedding_backward(rows_of(layer, pass), self->vocabulary, self->units, layer->in[0].value,
                          layer->out.grad, layer->params[0].beta, layer->params[0].grad);
    no_slope(layer, pass);
}

const dl_layer_type dl_layer_embedding = {
    .kind = {"embedding",
             "a learned row of numbers for each symbol of a vocabulary: the first layer of a "
             "network that reads symbols by their numbers",
             sizeof(embedding), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};

/* ---- one_hot ---- */

static int setup_one_hot(dl_layer *layer, dl_error *error) {
    const one_hot *self = layer->self;
    layer->needs_input = false;
    return set_shape(layer, self->classes, error);
}

static void forward_one_hot(dl_layer *layer, const dl_pass *pass) {
    const one_hot *self = layer->self;
    dl_one_hot(rows_of(layer, pass), self->classes, layer->in[0].value, layer->out.value);
}

static void backward_one_hot(dl_layer *layer, const dl_pass *pass) {
    no_slope(layer, pass);
}

const dl_layer_type dl_layer_one_hot = {
    .kind = {"one_hot", "whole numbers become rows with a 1 at their place and 0 elsewhere",
             sizeof(one_hot), one_hot_options},
    .setup = setup_one_hot,
    .forward = forward_one_hot,
    .backward = backward_one_hot,
};
