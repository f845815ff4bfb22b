/* SPDX-License-Identifier: MIT */
/* Global average pooling: y[c] = the mean of x[…][c] over all positions of an image or sequence.
   Lin et al., "Network in network", ICLR 2014. */
#include "layers/layer.h"
#include "math/vector.h"

typedef struct {
    char unused;
} global_avg_pool;

static const dl_option options[] = {DL_OPTIONS_END};

static int setup(dl_layer *layer, dl_error *error) {
    if (dl_layer_check_positions(layer, error))
        return -1;
    layer->out.shape = dl_shape1(dl_shape_channels(layer->in[0].shape));
    layer->needs_input = layer->needs_output = false;
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    int64_t channels = layer->out.shape.dim[0], size = dl_shape_size(layer->in[0].shape);
#pragma omp parallel for schedule(static) if (pass->batch * size >= 1 << 14)
    for (int n = 0; n < pass->batch; n++) {
        const float *x = layer->in[0].value + n * size;
        float *y = layer->out.value + n * channels, share = (float)channels / (float)size;
        dl_zero(y, channels);
        for (int64_t i = 0; i < size; i += channels)
#pragma omp simd
            for (int64_t c = 0; c < channels; c++)
                y[c] += x[i + c];
        for (int64_t c = 0; c < channels; c++)
            y[c] *= share;
    }
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    int64_t channels = layer->out.shape.dim[0], size = dl_shape_size(layer->in[0].shape);
    if (!layer->in[0].grad)
        return;
#pragma omp parallel for schedule(static) if (pass->batch * size >= 1 << 14)
    for (int n = 0; n < pass->batch; n++) {
        const float *dy = layer->out.grad + n * channels;
        float *dx = layer->in[0].grad + n * size, share = (float)channels / (float)size;
        for (int64_t i = 0; i < size; i += channels)
#pragma omp simd
            for (int64_t c = 0; c < channels; c++)
                dx[i + c] = share * dy[c];
    }
}

const dl_layer_type dl_layer_global_avg_pool = {
    .kind = {"global_avg_pool",
             "global average pooling: the mean of each channel over the whole image or sequence; "
             "often the layer before the last dense one",
             sizeof(global_avg_pool), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
