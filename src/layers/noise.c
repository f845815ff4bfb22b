/* SPDX-License-Identifier: MIT */
/* Noise in training, against overfitting; at test nothing happens. x and y: [batch][…][channels].
   spatial_dropout: y = x · m[sample][channel], where m is 0 with probability `rate`, else
   1 / (1 - rate): neighbouring pixels of a channel are so alike that dropping single ones does
   little. Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015.
   gaussian_noise: y = x + stddev · e, with e standard normal; dx = dy.
   gaussian_dropout: y = x · (1 + sqrt(rate / (1 - rate)) · e): the mean and variance of dropout's.
   Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR
   2014, section 10. Nothing is stored: the backward pass draws the same numbers again. */
#include <math.h>

#include "layers/layer.h"
#include "math/mask.h"
#include "math/vector.h"

/* Elements that are drawn at a time (a multiple of 4), and below which one thread is enough. */
enum { CHUNK = 1024, SMALL = 1 << 12 };

typedef struct {
    double rate, stddev;
    int factors; /* buffer: [batch][channels] */
} noise;

static const dl_option spatial_options[] = {
    DL_FLOAT_OPTION("rate", noise, rate, "0.5", 0, 0.999999,
                    "probability that a channel of a sample is dropped"),
    DL_OPTIONS_END,
};

static const dl_option noise_options[] = {
    DL_FLOAT_OPTION("stddev", noise, stddev, "0.1", 0, 1000,
                    "standard deviation of the noise; compare it with that of the layer's input"),
    DL_OPTIONS_END,
};

static const dl_option gaussian_options[] = {
    DL_FLOAT_OPTION(
        "rate", noise, rate, "0.5", 0, 0.999999,
        "as dropout's: the factors' standard deviation is sqrt(rate / (1 - rate)), 1 for 0.5"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    (void)error;
    layer->out.shape = layer->in[0].shape;
    layer->gradient_in_place = true;
    layer->varies = true;
    layer->needs_input = layer->needs_output = false;
    return 0;
}

static int setup_spatial(dl_layer *layer, dl_error *error) {
    noise *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    char text[48];
    if (in.rank < 2)
        return dl_fail(error, DL_USAGE,
                       "%s: spatial_dropout needs an image or a sequence, not %s (dropout is for "
                       "the rest)",
                       layer->where, dl_shape_text(text, in));
    self->factors = dl_layer_add_buffer(
        layer, DL_SCRATCH, (int64_t)sizeof(float) * layer->max_batch * dl_shape_channels(in));
    return setup(layer, error);
}

static int64_t count_of(const dl_layer *layer, const dl_pass *pass) {
    return pass->batch * dl_shape_size(layer->out.shape);
}

static void copy_unless_same(float *to, const float *from, int64_t count) {
    if (to != from)
        dl_copy(to, from, count);
}

/* ---- spatial_dropout ---- */

static void apply_spatial(const dl_layer *layer, const dl_pass *pass, const float *from,
                          float *to) {
    const noise *self = layer->self;
    int64_t channels = dl_shape_channels(layer->out.shape), size = dl_shape_size(layer->out.shape);
    float *factors = layer->buffers[self->factors].memory;
    if (!pass->training || self->rate == 0) {
        copy_unless_same(to, from, pass->batch * size);
        return;
    }
    dl_draw draw = dl_layer_draw(layer, DL_FOR_DROPOUT, pass);
    for (int64_t i = 0; i < pass->batch * channels; i++)
        factors[i] = 1;
    dl_mask_random(&draw, self->rate, pass->batch * channels, factors, factors);
#pragma omp parallel for schedule(static) if (pass->batch * size >= SMALL)
    for (int n = 0; n < pass->batch; n++) {
        const float *factor = factors + n * channels;
        for (int64_t i = n * size; i < (n + 1) * size; i += channels)
#pragma omp simd
            for (int64_t c = 0; c < channels; c++)
                to[i + c] = from[i + c] * factor[c];
    }
}

static void forward_spatial(dl_layer *layer, const dl_pass *pass) {
    apply_spatial(layer, pass, layer->in[0].value, layer->out.value);
}

static void backward_spatial(dl_layer *layer, const dl_pass *pass) {
    if (layer->in[0].grad)
        apply_spatial(layer, pass, layer->out.grad, layer->in[0].grad);
}

/* ---- gaussian_noise and gaussian_dropout ---- */

/* to = from + stddev · e, or from · (1 + stddev · e) */
static void apply_gaussian(const dl_layer *layer, const dl_pass *pass, bool multiply, double stddev,
                           const float *from, float *to) {
    int64_t count = count_of(layer, pass);
    if (!pass->training || stddev == 0) {
        copy_unless_same(to, from, count);
        return;
    }
    dl_draw draw = dl_layer_draw(layer, DL_FOR_DROPOUT, pass);
    const float spread = (float)stddev;
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int64_t i = 0; i < count; i += CHUNK) {
        float e[CHUNK];
        int64_t many = count - i < CHUNK ? count - i : CHUNK;
        dl_random_normal(&draw, i, many, e);
#pragma omp simd
        for (int64_t j = 0; j < many; j++)
            to[i + j] =
                multiply ? from[i + j] + from[i + j] * spread * e[j] : from[i + j] + spread * e[j];
    }
}

static void forward_noise(dl_layer *layer, const dl_pass *pass) {
    const noise *self = layer->self;
    apply_gaussian(layer, pass, false, self->stddev, layer->in[0].value, layer->out.value);
}

static void backward_noise(dl_layer *layer, const dl_pass *pass) {
    if (layer->in[0].grad)
        copy_unless_same(layer->in[0].grad, layer->out.grad, count_of(layer, pass));
}

static double spread_of(const dl_layer *layer) {
    const noise *self = layer->self;
    return sqrt(self->rate / (1 - self->rate));
}

static void forward_gaussian(dl_layer *layer, const dl_pass *pass) {
    apply_gaussian(layer, pass, true, spread_of(layer), layer->in[0].value, layer->out.value);
}

static void backward_gaussian(dl_layer *layer, const dl_pass *pass) {
    if (layer->in[0].grad)
        apply_gaussian(layer, pass, true, spread_of(layer), layer->out.grad, layer->in[0].grad);
}

const dl_layer_type dl_layer_spatial_dropout = {
    .kind = {"spatial_dropout",
             "zeroes random channels of each sample in training: dropout for images and sequences",
             sizeof(noise), spatial_options},
    .setup = setup_spatial,
    .forward = forward_spatial,
    .backward = backward_spatial,
};

const dl_layer_type dl_layer_gaussian_noise = {
    .kind = {"gaussian_noise",
             "adds normal noise in training: makes a net bear small disturbances of its input",
             sizeof(noise), noise_options},
    .setup = setup,
    .forward = forward_noise,
    .backward = backward_noise,
};

const dl_layer_type dl_layer_gaussian_dropout = {
    .kind = {"gaussian_dropout",
             "multiplies by normal noise around 1 in training: dropout that zeroes nothing",
             sizeof(noise), gaussian_options},
    .setup = setup,
    .forward = forward_gaussian,
    .backward = backward_gaussian,
};
