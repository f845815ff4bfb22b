/* SPDX-License-Identifier: MIT */
/* Batch normalization: each channel gets mean 0 and variance 1 over the batch (and the places of an
   image), then a learned scale and shift. Ioffe and Szegedy, ICML 2015.
     y = f(scale · (x - mean) / sqrt(variance + epsilon) + shift)
   In training mean and variance are the batch's; running averages of them,
     running = (1 - momentum) · running + momentum · batch's
   (the variance's with the unbiased one, divided by rows - 1), take their place afterwards; and in
   a layer that is not trainable, or not yet, already in training, where they stay as they are. A
   batch with a single value a channel has no variance: the running averages leave it out. */
#include <math.h>

#include "layers/layer.h"
#include "math/norm.h"

typedef struct {
    double momentum, epsilon;
    bool scale, shift;
    dl_activation activation;
    int saved, scratch; /* buffers; saved: mean, inverse, factor, offset [channels] each */
} batch_norm;

enum { MEAN, VARIANCE }; /* the states */

static const dl_option options[] = {
    DL_FLOAT_OPTION("momentum", batch_norm, momentum, "0.1", 0, 1,
                    "weight of a new batch in the running mean and variance"),
    DL_FLOAT_OPTION("epsilon", batch_norm, epsilon, "1e-5", 1e-12, 1,
                    "added to the variance: keeps the division finite"),
    DL_BOOL_OPTION("scale", batch_norm, scale, "true", "learn a factor for each channel"),
    DL_BOOL_OPTION("shift", batch_norm, shift, "true", "learn an offset for each channel"),
    DL_ACTIVATION_OPTIONS(batch_norm, activation, "linear"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    batch_norm *self = layer->self;
    int channels = dl_shape_channels(layer->in[0].shape);
    dl_shape shape = dl_shape1(channels);
    (void)error;
    layer->out.shape = layer->in[0].shape;
    layer->varies = layer->trainable || layer->shares >= 0; /* then it is as its owner is */
    if (self->scale)
        dl_layer_add_param(layer, (dl_param){.name = "scale",
                                             .shape = shape,
                                             .initializer = &dl_initializers[DL_INIT_ONES]});
    if (self->shift)
        dl_layer_add_param(layer, (dl_param){.name = "shift",
                                             .shape = shape,
                                             .initializer = &dl_initializers[DL_INIT_ZEROS]});
    dl_layer_add_state(
        layer,
        (dl_param){.name = "mean", .shape = shape, .initializer = &dl_initializers[DL_INIT_ZEROS]});
    dl_layer_add_state(layer, (dl_param){.name = "variance",
                                         .shape = shape,
                                         .initializer = &dl_initializers[DL_INIT_ONES]});
    self->saved = dl_layer_add_buffer(layer, DL_SAVED, 4 * (int64_t)sizeof(float) * channels);
    self->scratch = dl_layer_add_buffer(layer, DL_SCRATCH, (int64_t)dl_norm_scratch(channels));
    dl_layer_set_activation(layer, &self->activation);
    layer->gradient_in_place = true;
    layer->takes_out_bias = true;
    return 0;
}

static const dl_param *scale_of(const dl_layer *layer) {
    return ((const batch_norm *)layer->self)->scale ? &layer->params[0] : NULL;
}

static const dl_param *shift_of(const dl_layer *layer) {
    const batch_norm *self = layer->self;
    return self->shift ? &layer->params[self->scale ? 1 : 0] : NULL;
}

static int64_t rows_of(const dl_layer *layer, const dl_pass *pass) {
    return pass->batch * dl_shape_size(layer->out.shape) / dl_shape_channels(layer->out.shape);
}

static void update_running(const dl_layer *layer, int64_t rows, double momentum, const float *mean,
                           const float *variance) {
    float *running_mean = layer->states[MEAN].value, *running = layer->states[VARIANCE].value;
    if (rows == 1)
        return;
    double unbiased = (double)rows / (double)(rows - 1);
    for (int64_t j = 0; j < layer->states[MEAN].count; j++) {
        running_mean[j] = (float)((1 - momentum) * running_mean[j] + momentum * mean[j]);
        running[j] = (float)((1 - momentum) * running[j] + momentum * unbiased * variance[j]);
    }
}

/* Whether it normalizes by the batch's own statistics. */
static bool uses_batch(const dl_layer *layer, const dl_pass *pass) {
    return pass->training && layer->trainable && !layer->waits;
}

/* y = f(factor · x + offset), by what forward has saved. */
static dl_norm norm_of(const dl_layer *layer, const dl_pass *pass) {
    const batch_norm *self = layer->self;
    int64_t channels = dl_shape_channels(layer->out.shape);
    float *mean = layer->buffers[self->saved].memory;
    return (dl_norm){.activation = &layer->fused,
                     .rows = rows_of(layer, pass),
                     .channels = channels,
                     .x = layer->in[0].value,
                     .y = layer->out.value,
                     .mean = mean,
                     .inverse = mean + channels,
                     .scale = mean + 2 * channels,
                     .shift = mean + 3 * channels,
                     .scratch = layer->buffers[self->scratch].memory};
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const batch_norm *self = layer->self;
    const bool own = uses_batch(layer, pass);
    int64_t rows = rows_of(layer, pass), channels = dl_shape_channels(layer->out.shape);
    float *mean = layer->buffers[self->saved].memory, *inverse = mean + channels;
    float *factor = inverse + channels, *offset = factor + channels;
    const dl_param *scale = scale_of(layer), *shift = shift_of(layer);
    if (own) {
        dl_norm_statistics(rows, channels, layer->in[0].value, mean, inverse,
                           layer->buffers[self->scratch].memory);
        update_running(layer, rows, pass->statistics > 0 ? pass->statistics : self->momentum, mean,
                       inverse);
    }
    for (int64_t j = 0; j < channels; j++) {
        double variance = own ? inverse[j] : layer->states[VARIANCE].value[j];
        double m = own ? mean[j] : layer->states[MEAN].value[j];
        inverse[j] = (float)(1 / sqrt(variance + self->epsilon));
        factor[j] = inverse[j] * (scale ? scale->value[j] : 1);
        offset[j] = (float)((shift ? shift->value[j] : 0) - m * factor[j]);
    }
    dl_norm norm = norm_of(layer, pass);
    dl_norm_apply(&norm);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const dl_param *scale = scale_of(layer), *shift = shift_of(layer);
    dl_norm norm = norm_of(layer, pass);
    dl_norm_gradients gradients = {.dy = layer->out.grad, .dx = layer->in[0].grad};
    if (!uses_batch(layer, pass)) { /* a frozen scale's gradient goes nowhere, like one of none */
        gradients.dscale = norm.mean;
        dl_norm_apply_backward(&norm, &gradients);
        return;
    }
    norm.scale = scale ? scale->value : NULL;
    gradients.dscale = scale ? scale->grad : NULL;
    gradients.dshift = shift ? shift->grad : NULL;
    dl_norm_backward(&norm, &gradients);
}

const dl_layer_type dl_layer_batch_norm = {
    .kind = {"batch_norm",
             "normalizes each channel over the batch: deep nets train faster; the layer before it "
             "needs no bias",
             sizeof(batch_norm), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
