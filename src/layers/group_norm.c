/* SPDX-License-Identifier: MIT */
/* Normalization within a sample: layer_norm, group_norm and instance_norm. The values of a set get
   mean 0 and variance 1, then each channel a learned scale and shift:
     y = f(scale · (x - mean) / sqrt(variance + epsilon) + shift)
   Samples are independent, so training and test do the same, with any batch size. The sets:
     layer_norm     the channels of a position           x[batch · positions][1][channels], 1 group
     group_norm     a group of adjacent channels, at all positions of a sample
     instance_norm  one channel, at all positions        x[batch][positions][channels], a group each
   Ba, Kiros and Hinton, "Layer normalization", 2016; Wu and He, "Group normalization", ECCV 2018;
   Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016. */
#include "layers/layer.h"
#include "math/norm.h"

typedef struct {
    int64_t groups;
    double epsilon;
    bool scale, shift;
    dl_activation activation;
    int64_t rows;        /* separately normalized rows of a sample */
    dl_norm_groups plan; /* for the largest batch */
    int saved, scratch;  /* buffers; saved: mean, inverse [samples][groups] each */
} group_norm;

#define COMMON_OPTIONS                                                                             \
    DL_FLOAT_OPTION("epsilon", group_norm, epsilon, "1e-5", 1e-12, 1,                              \
                    "added to the variance to avoid division by zero"),                            \
        DL_BOOL_OPTION("scale", group_norm, scale, "true", "learn a scale for each channel"),      \
        DL_BOOL_OPTION("shift", group_norm, shift, "true", "learn an offset for each channel"),    \
        DL_ACTIVATION_OPTIONS(group_norm, activation, "linear"), DL_OPTIONS_END

static const dl_option options[] = {COMMON_OPTIONS};

static const dl_option group_options[] = {
    DL_INT_OPTION("groups", group_norm, groups, DL_REQUIRED, 1, 1 << 16,
                  "number of groups of adjacent channels; must divide the number of channels. 32 "
                  "is usual for wide layers"),
    COMMON_OPTIONS};

/* Each sample has `rows` rows, each normalized in `groups` groups of channels. */
static int setup(dl_layer *layer, int64_t rows, int64_t groups, dl_error *error) {
    group_norm *self = layer->self;
    char text[48];
    const dl_shape in = layer->in[0].shape;
    int channels = dl_shape_channels(in);
    int64_t positions = dl_shape_size(in) / channels / rows, samples = layer->max_batch * rows;
    if (positions * (channels / groups) < 2)
        return dl_fail(error, DL_USAGE,
                       "%s: %s needs at least two values per mean, but an input of %s has one",
                       layer->where, layer->type->kind.name, dl_shape_text(text, in));
    self->rows = rows;
    self->plan = (dl_norm_groups){samples, positions, channels, groups};
    layer->out.shape = in;
    if (self->scale)
        dl_layer_add_vector(layer, "scale", channels, DL_INIT_ONES, 0);
    if (self->shift)
        dl_layer_add_vector(layer, "shift", channels, DL_INIT_ZEROS, 0);
    self->saved = dl_layer_add_floats(layer, DL_SAVED, 2 * samples * groups);
    self->scratch =
        dl_layer_add_buffer(layer, DL_SCRATCH, (int64_t)dl_group_norm_scratch(&self->plan));
    dl_layer_set_activation(layer, &self->activation);
    layer->gradient_in_place = true;
    return 0;
}

static int setup_layer(dl_layer *layer, dl_error *error) {
    const dl_shape in = layer->in[0].shape;
    return setup(layer, dl_shape_size(in) / dl_shape_channels(in), 1, error);
}

static int setup_group(dl_layer *layer, dl_error *error) {
    int64_t groups = ((const group_norm *)layer->self)->groups;
    int channels = dl_shape_channels(layer->in[0].shape);
    char text[48];
    if (channels % groups)
        return dl_fail(
            error, DL_USAGE, "%s: %lld groups do not divide the %d channels of an input of %s",
            layer->where, (long long)groups, channels, dl_shape_text(text, layer->in[0].shape));
    return setup(layer, 1, groups, error);
}

static int setup_instance(dl_layer *layer, dl_error *error) {
    return setup(layer, 1, dl_shape_channels(layer->in[0].shape), error);
}

static const dl_param *scale_of(const dl_layer *layer) {
    return ((const group_norm *)layer->self)->scale ? &layer->params[0] : NULL;
}

static const dl_param *shift_of(const dl_layer *layer) {
    const group_norm *self = layer->self;
    return self->shift ? &layer->params[self->scale ? 1 : 0] : NULL;
}

static dl_norm_groups plan_of(const dl_layer *layer, const dl_pass *pass) {
    const group_norm *self = layer->self;
    dl_norm_groups plan = self->plan;
    plan.samples = pass->batch * self->rows;
    return plan;
}

static dl_norm norm_of(const dl_layer *layer, const dl_norm_groups *plan) {
    const group_norm *self = layer->self;
    const dl_param *scale = scale_of(layer), *shift = shift_of(layer);
    float *mean = layer->buffers[self->saved].memory;
    return (dl_norm){.activation = &layer->fused,
                     .channels = plan->channels,
                     .x = layer->in[0].value,
                     .y = layer->out.value,
                     .mean = mean,
                     .inverse = mean + plan->samples * plan->groups,
                     .scale = scale ? scale->value : NULL,
                     .shift = shift ? shift->value : NULL,
                     .scratch = layer->buffers[self->scratch].memory};
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const group_norm *self = layer->self;
    dl_norm_groups plan = plan_of(layer, pass);
    dl_norm norm = norm_of(layer, &plan);
    dl_group_norm_forward(&plan, self->epsilon, &norm);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const dl_param *scale = scale_of(layer), *shift = shift_of(layer);
    dl_norm_groups plan = plan_of(layer, pass);
    dl_norm norm = norm_of(layer, &plan);
    dl_norm_gradients gradients = {layer->out.grad, layer->in[0].grad, scale ? scale->grad : NULL,
                                   shift ? shift->grad : NULL};
    dl_group_norm_backward(&plan, &norm, &gradients);
}

const dl_layer_type dl_layer_layer_norm = {
    .kind = {"layer_norm",
             "layer normalization: normalizes the channels of each position of a sample; for "
             "sequences, transformers and small batches",
             sizeof(group_norm), options},
    .setup = setup_layer,
    .forward = forward,
    .backward = backward,
};

const dl_layer_type dl_layer_group_norm = {
    .kind = {"group_norm",
             "group normalization: normalizes groups of channels of each sample; replaces "
             "batch_norm in convolutional networks when batches are small",
             sizeof(group_norm), group_options},
    .setup = setup_group,
    .forward = forward,
    .backward = backward,
    .reach = dl_layer_reach_all,
};

const dl_layer_type dl_layer_instance_norm = {
    .kind = {"instance_norm",
             "instance normalization: normalizes each channel of each sample, which removes "
             "brightness and contrast, as for style transfer",
             sizeof(group_norm), options},
    .setup = setup_instance,
    .forward = forward,
    .backward = backward,
    .reach = dl_layer_reach_all,
};
