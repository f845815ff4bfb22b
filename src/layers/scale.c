/* SPDX-License-Identifier: MIT */
/* Learned scaling: y = f(scale[c] · x + shift[c]), the shift only if asked for.
   x and y: [batch][…][channels], scale[channels], shift[channels]. With dz = f'(y) dy:
     dx = scale[c] · dz,  dscale[c] += the sum of x dz,  dshift[c] += that of dz
   At the end of a residual branch a scale that begins near 0 lets deep nets train: Touvron et al.,
   "Going deeper with image transformers", ICCV 2021. */
#include "layers/layer.h"
#include "math/norm.h"

typedef struct {
    double init;
    bool shift;
    dl_activation activation;
    int scratch;
} scale;

static const dl_option options[] = {
    DL_FLOAT_OPTION(
        "init", scale, init, "1", -1000, 1000,
        "the factors' initial value; 1 changes nothing, 0.1 and less lets a residual branch begin "
        "quietly"),
    DL_BOOL_OPTION("shift", scale, shift, "false",
                   "learn an offset for each channel, too, 0 at first"),
    DL_ACTIVATION_OPTIONS(scale, activation, "linear"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    scale *self = layer->self;
    int channels = dl_shape_channels(layer->in[0].shape);
    (void)error;
    layer->out.shape = layer->in[0].shape;
    dl_layer_add_param(layer, (dl_param){.name = "scale",
                                         .shape = dl_shape1(channels),
                                         .initializer = &dl_initializers[DL_INIT_CONSTANT],
                                         .number = self->init});
    if (self->shift)
        dl_layer_add_param(layer, (dl_param){.name = "shift",
                                             .shape = dl_shape1(channels),
                                             .initializer = &dl_initializers[DL_INIT_ZEROS]});
    self->scratch = dl_layer_add_buffer(layer, DL_SCRATCH, (int64_t)dl_norm_scratch(channels));
    layer->gradient_in_place = true;
    dl_layer_set_activation(layer, &self->activation);
    return 0;
}

static int64_t rows_of(const dl_layer *layer, const dl_pass *pass) {
    return pass->batch * dl_shape_size(layer->out.shape) / dl_shape_channels(layer->out.shape);
}

static dl_norm norm_of(const dl_layer *layer, const dl_pass *pass) {
    const scale *self = layer->self;
    return (dl_norm){.activation = &layer->fused,
                     .rows = rows_of(layer, pass),
                     .channels = dl_shape_channels(layer->out.shape),
                     .x = layer->in[0].value,
                     .y = layer->out.value,
                     .scale = layer->params[0].value,
                     .shift = self->shift ? layer->params[1].value : NULL,
                     .scratch = layer->buffers[self->scratch].memory};
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    dl_norm norm = norm_of(layer, pass);
    dl_norm_apply(&norm);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const scale *self = layer->self;
    dl_norm norm = norm_of(layer, pass);
    dl_norm_gradients gradients = {layer->out.grad, layer->in[0].grad, layer->params[0].grad,
                                   self->shift ? layer->params[1].grad : NULL};
    dl_norm_apply_backward(&norm, &gradients);
}

const dl_layer_type dl_layer_scale = {
    .kind = {"scale", "a learned factor for each channel, and an offset if asked for",
             sizeof(scale), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
