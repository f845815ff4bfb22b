/* SPDX-License-Identifier: MIT */
/* Batch normalization: each channel gets mean 0 and variance 1 over the batch (and over the
   positions of images and sequences), then a learned scale and shift. Ioffe and Szegedy, ICML 2015.
     y = f(scale · (x - mean) / sqrt(variance + epsilon) + shift)
   Training uses the mean and variance of the batch; validation, test and frozen layers use
     running = (1 - momentum) · running + momentum · batch
   (of the unbiased variance, divided by rows - 1). Frozen layers do not update them, nor does a
   batch with a single value per channel, which has no variance. */
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
                    "weight of the current batch in the running mean and variance, which "
                    "validation and test use"),
    DL_FLOAT_OPTION("epsilon", batch_norm, epsilon, "1e-5", 1e-12, 1,
                    "added to the variance to avoid division by zero"),
    DL_BOOL_OPTION("scale", batch_norm, scale, "true", "learn a scale for each channel"),
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
    layer->varies = layer->trainable || layer->shares >= 0; /* with shared weights: as the owner */
    if (self->scale)
        dl_layer_add_vector(layer, "scale", channels, DL_INIT_ONES, 0);
    if (self->shift)
        dl_layer_add_vector(layer, "shift", channels, DL_INIT_ZEROS, 0);
    dl_layer_add_state(
        layer,
        (dl_param){.name = "mean", .shape = shape, .initializer = &dl_initializers[DL_INIT_ZEROS]});
    dl_layer_add_state(layer, (dl_param){.name = "variance",
                                         .shape = shape,
                                         .initializer = &dl_initializers[DL_INIT_ONES]});
    self->saved = dl_layer_add_floats(layer, DL_SAVED, 4 * (int64_t)channels);
    self->scratch = dl_layer_add_buffer(layer, DL_SCRATCH, (int64_t)dl_norm_scratch(channels));
    dl_layer_set_activation(layer, &self->activation);
    layer->gradient_in_place = true;
    layer->removes_bias = true;
    return 0;
}

static const dl_param *scale_of(const dl_layer *layer) {
    return ((const batch_norm *)layer->self)->scale ? &layer->params[0] : NULL;
}

static const dl_param *shift_of(const dl_layer *layer) {
    const batch_norm *self = layer->self;
    return self->shift ? &layer->params[self->scale ? 1 : 0] : NULL;
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

/* Whether the statistics of the batch are used, not the running ones. */
static bool uses_batch(const dl_layer *layer, const dl_pass *pass) {
    return pass->training && layer->trainable && !layer->frozen;
}

/* y = f(factor · x + offset), with the values that forward saved. */
static dl_norm norm_of(const dl_layer *layer, const dl_pass *pass) {
    const batch_norm *self = layer->self;
    int64_t channels = dl_shape_channels(layer->out.shape);
    float *mean = layer->buffers[self->saved].memory;
    return (dl_norm){.activation = &layer->fused,
                     .rows = dl_layer_rows(layer, pass),
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
    const bool batch = uses_batch(layer, pass);
    int64_t rows = dl_layer_rows(layer, pass), channels = dl_shape_channels(layer->out.shape);
    float *mean = layer->buffers[self->saved].memory, *inverse = mean + channels;
    float *factor = inverse + channels, *offset = factor + channels;
    const dl_param *scale = scale_of(layer), *shift = shift_of(layer);
    if (batch) {
        dl_norm_statistics(rows, channels, layer->in[0].value, mean, inverse,
                           layer->buffers[self->scratch].memory);
        update_running(layer, rows, pass->statistics > 0 ? pass->statistics : self->momentum, mean,
                       inverse);
    }
    for (int64_t j = 0; j < channels; j++) {
        double variance = batch ? inverse[j] : layer->states[VARIANCE].value[j];
        double m = batch ? mean[j] : layer->states[MEAN].value[j];
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
    if (!uses_batch(layer, pass)) { /* the gradients of scale and shift are discarded */
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
             "batch normalization: normalizes each channel over the batch, so that deep networks "
             "train faster and with larger learning rates; the preceding layer needs no bias",
             sizeof(batch_norm), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
