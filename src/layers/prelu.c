/* SPDX-License-Identifier: MIT */
/* Parametric ReLU: y = x where x > 0, else slope[c] · x, with a learned slope per channel.
   x and y: [batch][…][channels], slope[channels].
     dx = dy or slope[c] · dy,  dslope[c] += sum of dy x where x <= 0
   He et al., "Delving deep into rectifiers", ICCV 2015. No weight decay: it would pull the slopes
   to 0, that is to ReLU. */
#include "math/prelu.h"
#include "layers/layer.h"

typedef struct {
    double init;
    int scratch;
} prelu;

static const dl_option options[] = {
    DL_FLOAT_OPTION("init", prelu, init, "0.25", -1, 1, "initial slope; 0 starts as relu"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    prelu *self = layer->self;
    int channels = dl_shape_channels(layer->in[0].shape);
    (void)error;
    layer->out.shape = layer->in[0].shape;
    dl_layer_add_vector(layer, "slope", channels, DL_INIT_CONSTANT, self->init);
    self->scratch = dl_layer_add_buffer(layer, DL_SCRATCH, (int64_t)dl_prelu_scratch(channels));
    layer->gradient_in_place = true;
    layer->needs_output = false;
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const prelu *self = layer->self;
    dl_prelu_forward(dl_layer_rows(layer, pass), dl_shape_channels(layer->out.shape),
                     layer->in[0].value, layer->params[0].value, layer->out.value,
                     layer->buffers[self->scratch].memory);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const prelu *self = layer->self;
    dl_prelu_backward(dl_layer_rows(layer, pass), dl_shape_channels(layer->out.shape),
                      layer->in[0].value, layer->params[0].value, layer->out.grad,
                      layer->in[0].grad, layer->params[0].grad,
                      layer->buffers[self->scratch].memory);
}

const dl_layer_type dl_layer_prelu = {
    .kind = {"prelu", "parametric ReLU: leaky_relu with a learned slope per channel", sizeof(prelu),
             options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
