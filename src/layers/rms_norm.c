/* SPDX-License-Identifier: MIT */
/* Root mean square normalization of the channels of each position:
     y = f(scale · x · r),  r = 1 / sqrt(mean of x^2 over the channels + epsilon)
   x and y: [batch][…][channels], scale[channels]. With dz = f'(y) dy and g = scale · dz:
     dx = r · (g - x · r^2 · mean of g x),  dscale += sum of dz x r over the positions
   Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019. */
#include <math.h>

#include "layers/layer.h"
#include "math/vector.h"

enum {
    BLOCKS = 16,
    SMALL = 1 << 14
}; /* blocks of rows, whatever the number of threads: the same bits */

typedef struct {
    double epsilon;
    bool scale;
    dl_activation activation;
    int inverse; /* buffer: r [batch · positions] */
    int partial; /* buffer: dscale of each block [BLOCKS][channels] */
} rms_norm;

static const dl_option options[] = {
    DL_FLOAT_OPTION("epsilon", rms_norm, epsilon, "1e-5", 1e-12, 1,
                    "added to the mean square to avoid division by zero"),
    DL_BOOL_OPTION("scale", rms_norm, scale, "true", "learn a scale for each channel"),
    DL_ACTIVATION_OPTIONS(rms_norm, activation, "linear"),
    DL_OPTIONS_END,
};

static int64_t rows_of(const dl_layer *layer, int64_t batch) {
    return batch * dl_shape_size(layer->in[0].shape) / dl_shape_channels(layer->in[0].shape);
}

static int setup(dl_layer *layer, dl_error *error) {
    rms_norm *self = layer->self;
    int channels = dl_shape_channels(layer->in[0].shape);
    int64_t rows = rows_of(layer, layer->max_batch);
    (void)error;
    layer->out.shape = layer->in[0].shape;
    if (self->scale)
        dl_layer_add_vector(layer, "scale", channels, DL_INIT_ONES, 0);
    self->inverse = dl_layer_add_floats(layer, DL_SAVED, rows);
    self->partial = dl_layer_add_floats(layer, DL_SCRATCH, BLOCKS * (int64_t)channels);
    layer->gradient_in_place = true;
    dl_layer_set_activation(layer, &self->activation);
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const rms_norm *self = layer->self;
    const float *scale = self->scale ? layer->params[0].value : NULL;
    int64_t rows = rows_of(layer, pass->batch), channels = dl_shape_channels(layer->out.shape);
    float *inverse = layer->buffers[self->inverse].memory;
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int64_t i = 0; i < rows; i++) {
        const float *x = layer->in[0].value + i * channels;
        float *y = layer->out.value + i * channels, sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t j = 0; j < channels; j++)
            sum += x[j] * x[j];
        float r = (float)(1 / sqrt((double)sum / (double)channels + self->epsilon));
        inverse[i] = r;
#pragma omp simd
        for (int64_t j = 0; j < channels; j++)
            y[j] = x[j] * r * (scale ? scale[j] : 1);
    }
    dl_activate(&layer->fused, rows, channels, NULL, layer->out.value, layer->out.value);
}

/* One row: dscale += dz x r, and dx; dz and dx may be the same. */
static void backward_row(int64_t channels, const float *x, float r, const float *scale,
                         const float *dz, float *dx, float *dscale) {
    float product = 0;
#pragma omp simd reduction(+ : product)
    for (int64_t j = 0; j < channels; j++)
        product += (scale ? scale[j] : 1) * dz[j] * x[j];
    float slope = r * r * product / (float)channels;
#pragma omp simd
    for (int64_t j = 0; j < channels; j++)
        dscale[j] += dz[j] * x[j] * r;
    if (dx)
#pragma omp simd
        for (int64_t j = 0; j < channels; j++)
            dx[j] = r * ((scale ? scale[j] : 1) * dz[j] - x[j] * slope);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const rms_norm *self = layer->self;
    const float *scale = self->scale ? layer->params[0].value : NULL;
    int64_t rows = rows_of(layer, pass->batch), channels = dl_shape_channels(layer->out.shape);
    const float *inverse = layer->buffers[self->inverse].memory;
    float *partial = layer->buffers[self->partial].memory;
    dl_activate_backward(&layer->fused, rows, channels, layer->out.value, layer->out.grad,
                         layer->out.grad, NULL);
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        dl_zero(partial + b * channels, channels);
        for (int64_t i = rows * b / BLOCKS; i < rows * (b + 1) / BLOCKS; i++)
            backward_row(channels, layer->in[0].value + i * channels, inverse[i], scale,
                         layer->out.grad + i * channels,
                         layer->in[0].grad ? layer->in[0].grad + i * channels : NULL,
                         partial + b * channels);
    }
    for (int b = 0; scale && b < BLOCKS; b++)
        dl_add(layer->params[0].grad, partial + b * channels, channels);
}

const dl_layer_type dl_layer_rms_norm = {
    .kind = {"rms_norm",
             "root mean square normalization: like layer_norm, but without subtracting the mean; "
             "for transformers",
             sizeof(rms_norm), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
