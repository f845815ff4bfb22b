/* SPDX-License-Identifier: MIT */
/* Applies an activation function: y = f(x), element by element (softmax: over the channels).
   dx = f'(x) dy, computed from the output, or from the input for functions that need it. */
#include "layers/layer.h"

typedef struct {
    dl_activation function;
} activation;

static const dl_option options[] = {
    DL_ACTIVATION_OPTIONS(activation, function, DL_REQUIRED),
    DL_OPTIONS_END,
};

static const dl_option softmax_options[] = {DL_OPTIONS_END};

/* Whether the derivative is computed from the input rather than the output. */
static bool from_input(const activation *self) {
    return dl_activation_of(&self->function)->from_input;
}

static int setup(dl_layer *layer, dl_error *error) {
    (void)error;
    activation *self = layer->self;
    if (layer->unactivated)
        self->function.kind = DL_LINEAR;
    layer->out.shape = layer->in[0].shape;
    layer->gradient_in_place = true;
    layer->needs_input = from_input(self);
    layer->needs_output = !from_input(self);
    self->function.straight = layer->straight_through;
    layer->activation = &self->function;
    layer->fused = self->function;
    return 0;
}

static int setup_softmax(dl_layer *layer, dl_error *error) {
    activation *self = layer->self;
    self->function.kind = DL_SOFTMAX;
    return setup(layer, error);
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const activation *self = layer->self;
    dl_activate(&self->function, dl_layer_rows(layer, pass), dl_shape_channels(layer->out.shape),
                NULL, layer->in[0].value, layer->out.value);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const activation *self = layer->self;
    if (layer->in[0].grad)
        dl_activate_backward(&self->function, dl_layer_rows(layer, pass),
                             dl_shape_channels(layer->out.shape),
                             from_input(self) ? layer->in[0].value : layer->out.value,
                             layer->out.grad, layer->in[0].grad, NULL);
}

const dl_layer_type dl_layer_activation = {
    .kind = {"activation",
             "applies an activation function; the key `activation` of the preceding layer usually "
             "does the same, faster",
             sizeof(activation), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};

const dl_layer_type dl_layer_softmax = {
    .kind = {"softmax",
             "softmax over the channels: the outputs are probabilities that sum to 1. Not for use "
             "before the loss softmax_cross_entropy, which has it built in",
             sizeof(activation), softmax_options},
    .setup = setup_softmax,
    .forward = forward,
    .backward = backward,
};
