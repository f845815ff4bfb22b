/* SPDX-License-Identifier: MIT */
/* Noise in training, against overfitting; at test these layers do nothing. x, y:
   [batch][…][channels].
   spatial_dropout: y = x · m[sample][channel], with m = 0 with probability `rate`, else
   1 / (1 - rate): adjacent pixels are so correlated that dropping single ones has little effect.
   Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015.
   gaussian_noise: y = x + stddev · e, with e standard normal; dx = dy.
   gaussian_dropout: y = x · (1 + sqrt(rate / (1 - rate)) · e), with mean and variance of dropout.
   Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR
   2014, section 10. Nothing is stored: the backward pass draws the same numbers again. */
#include <math.h>

#include "layers/layer.h"
#include "math/mask.h"
#include "math/vector.h"

/* Elements drawn at a time (a multiple of 4), and elements below which one thread is enough. */
enum { CHUNK = 1024, SMALL = 1 << 12 };

typedef struct {
    double rate, stddev;
    int factors; /* buffer: [batch][channels] */
} noise;

static const dl_option spatial_options[] = {
    DL_FLOAT_OPTION("rate", noise, rate, "0.5", 0, 0.999999,
                    "probability that a channel of a sample is zeroed"),
    DL_OPTIONS_END,
};

static const dl_option noise_options[] = {
    DL_FLOAT_OPTION("stddev", noise, stddev, "0.1", 0, 1000,
                    "standard deviation of the noise, in units of the layer's input"),
    DL_OPTIONS_END,
};

static const dl_option gaussian_options[] = {
    DL_FLOAT_OPTION("rate", noise, rate, "0.5", 0, 0.999999,
                    "as for dropout: the standard deviation of the noise is sqrt(rate / (1 - "
                    "rate)), 1 for 0.5"),
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
    if (dl_layer_check_positions(layer, error))
        return -1;
    self->factors = dl_layer_add_floats(
        layer, DL_SCRATCH, layer->max_batch * (int64_t)dl_shape_channels(layer->in[0].shape));
    return setup(layer, error);
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
    int64_t count = dl_layer_elements(layer, pass);
    if (!pass->training || stddev == 0) {
        copy_unless_same(to, from, count);
        return;
    }
    dl_draw draw = dl_layer_draw(layer, DL_FOR_DROPOUT, pass);
    const float spread = (float)stddev;
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int64_t i = 0; i < count; i += CHUNK) {
        float e[CHUNK];
        int64_t n = count - i < CHUNK ? count - i : CHUNK;
        dl_random_normal(&draw, i, n, e);
#pragma omp simd
        for (int64_t j = 0; j < n; j++)
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
        copy_unless_same(layer->in[0].grad, layer->out.grad, dl_layer_elements(layer, pass));
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
             "zeroes random channels of each sample in training: dropout for images and sequences, "
             "whose adjacent positions are correlated",
             sizeof(noise), spatial_options},
    .setup = setup_spatial,
    .forward = forward_spatial,
    .backward = backward_spatial,
};

const dl_layer_type dl_layer_gaussian_noise = {
    .kind = {"gaussian_noise",
             "adds Gaussian noise in training, which makes a network robust to small changes of "
             "its input",
             sizeof(noise), noise_options},
    .setup = setup,
    .forward = forward_noise,
    .backward = backward_noise,
};

const dl_layer_type dl_layer_gaussian_dropout = {
    .kind = {"gaussian_dropout",
             "multiplies by Gaussian noise of mean 1 in training: dropout that zeroes nothing",
             sizeof(noise), gaussian_options},
    .setup = setup,
    .forward = forward_gaussian,
    .backward = backward_gaussian,
};
