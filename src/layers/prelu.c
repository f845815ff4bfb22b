/* SPDX-License-Identifier: MIT */
/* Parametric rectifier: y = x where x > 0, else slope[c] · x, with a learned slope a channel.
   x and y: [batch][…][channels], slope[channels].
     dx = dy or slope[c] · dy,  dslope[c] += the sum of dy x where x <= 0
   He et al., "Delving deep into rectifiers", ICCV 2015: the slopes begin at 0.25, and do not decay,
   since that would drive them to the plain rectifier. */
#include "math/prelu.h"
#include "layers/layer.h"

typedef struct {
    double init;
    int scratch;
} prelu;

static const dl_option options[] = {
    DL_FLOAT_OPTION("init", prelu, init, "0.25", -1, 1,
                    "the slopes' initial value; 0 begins as relu"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    prelu *self = layer->self;
    int channels = dl_shape_channels(layer->in[0].shape);
    (void)error;
    layer->out.shape = layer->in[0].shape;
    dl_layer_add_param(layer, (dl_param){.name = "slope",
                                         .shape = dl_shape1(channels),
                                         .initializer = &dl_initializers[DL_INIT_CONSTANT],
                                         .number = self->init});
    self->scratch = dl_layer_add_buffer(layer, DL_SCRATCH, (int64_t)dl_prelu_scratch(channels));
    layer->gradient_in_place = true;
    layer->needs_output = false;
    return 0;
}

static int64_t rows_of(const dl_layer *layer, const dl_pass *pass) {
    return pass->batch * dl_shape_size(layer->out.shape) / dl_shape_channels(layer->out.shape);
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const prelu *self = layer->self;
    dl_prelu_forward(rows_of(layer, pass), dl_shape_channels(layer->out.shape), layer->in[0].value,
                     layer->params[0].value, layer->out.value,
                     layer->buffers[self->scratch].memory);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const prelu *self = layer->self;
    dl_prelu_backward(rows_of(layer, pass), dl_shape_channels(layer->out.shape), layer->in[0].value,
                      layer->params[0].value, layer->out.grad, layer->in[0].grad,
                      layer->params[0].grad, layer->buffers[self->scratch].memory);
}

const dl_layer_type dl_layer_prelu = {
    .kind = {"prelu", "leaky rectifier that learns its slope, one a channel", sizeof(prelu),
             options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
