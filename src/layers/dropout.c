/* SPDX-License-Identifier: MIT */
/* Dropout: in training, zeroes each element with probability `rate` and multiplies the others by
   1 / (1 - rate), which keeps the expected value; at test it does nothing. Srivastava et al.,
   "Dropout: a simple way to prevent neural networks from overfitting", JMLR 2014 (there the scaling
   is at test). The mask is not stored: the backward pass draws it again. */
#include "layers/layer.h"
#include "math/mask.h"
#include "math/vector.h"

typedef struct {
    double rate;
} dropout;

static const dl_option options[] = {
    DL_FLOAT_OPTION("rate", dropout, rate, "0.5", 0, 0.999999,
                    "probability that an element is zeroed"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    (void)error;
    layer->out.shape = layer->in[0].shape;
    layer->gradient_in_place = true;
    layer->varies = ((const dropout *)layer->self)->rate > 0;
    layer->needs_input = layer->needs_output = false;
    return 0;
}

/* to = from · mask / (1 - rate) */
static void apply(const dl_layer *layer, const dl_pass *pass, const float *from, float *to) {
    const dropout *self = layer->self;
    int64_t count = dl_layer_elements(layer, pass);
    if (!pass->training || self->rate == 0) {
        if (to != from)
            dl_copy(to, from, count);
        return;
    }
    dl_draw draw = dl_layer_draw(layer, DL_FOR_DROPOUT, pass);
    dl_mask_random(&draw, self->rate, count, from, to);
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    apply(layer, pass, layer->in[0].value, layer->out.value);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    if (layer->in[0].grad)
        apply(layer, pass, layer->out.grad, layer->in[0].grad);
}

const dl_layer_type dl_layer_dropout = {
    .kind = {"dropout",
             "zeroes random elements in training, which reduces overfitting; does nothing at test",
             sizeof(dropout), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
