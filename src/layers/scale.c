/* SPDX-License-Identifier: MIT */
/* Learned scaling: y = f(scale[c] · x + shift[c]); the shift is optional.
   x and y: [batch][…][channels], scale[channels], shift[channels]. With dz = f'(y) dy:
     dx = scale[c] · dz,  dscale[c] += sum of x dz,  dshift[c] += sum of dz
   At the end of a residual branch, a scale that starts near 0 lets deep networks train: Touvron et
   al., "Going deeper with image transformers", ICCV 2021. */
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
        "initial scale; 1 has no effect, 0.1 or less starts a residual branch near zero"),
    DL_BOOL_OPTION("shift", scale, shift, "false",
                   "also learn an offset for each channel, initially 0"),
    DL_ACTIVATION_OPTIONS(scale, activation, "linear"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    scale *self = layer->self;
    int channels = dl_shape_channels(layer->in[0].shape);
    (void)error;
    layer->out.shape = layer->in[0].shape;
    dl_layer_add_vector(layer, "scale", channels, DL_INIT_CONSTANT, self->init);
    if (self->shift)
        dl_layer_add_vector(layer, "shift", channels, DL_INIT_ZEROS, 0);
    self->scratch = dl_layer_add_buffer(layer, DL_SCRATCH, (int64_t)dl_norm_scratch(channels));
    layer->gradient_in_place = true;
    dl_layer_set_activation(layer, &self->activation);
    return 0;
}

static dl_norm norm_of(const dl_layer *layer, const dl_pass *pass) {
    const scale *self = layer->self;
    return (dl_norm){.activation = &layer->fused,
                     .rows = dl_layer_rows(layer, pass),
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
    .kind = {"scale",
             "multiplies each channel by a learned scale; with `shift`, also adds a learned offset",
             sizeof(scale), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
