/* SPDX-License-Identifier: MIT */
/* Global max pooling: y[c] = the maximum of x[…][c] over all positions of an image or sequence. The
   gradient goes to the maximum (the first of equal ones). NaN counts as the maximum. */
#include "layers/layer.h"
#include "math/vector.h"

typedef struct {
    int winner; /* buffer: int32 [batch][c], the position of the maximum */
} global_max_pool;

static const dl_option options[] = {DL_OPTIONS_END};

static int setup(dl_layer *layer, dl_error *error) {
    global_max_pool *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    if (dl_layer_check_positions(layer, error))
        return -1;
    layer->out.shape = dl_shape1(dl_shape_channels(in));
    self->winner = dl_layer_add_buffer(
        layer, DL_SAVED, (int64_t)sizeof(int32_t) * layer->max_batch * dl_shape_channels(in));
    layer->needs_input = layer->needs_output = false;
    return 0;
}

static void compute_maximum(int64_t positions, int64_t channels, const float *x, float *y,
                            int32_t *winner) {
    dl_copy(y, x, channels);
    for (int64_t c = 0; c < channels; c++)
        winner[c] = 0;
    for (int64_t i = 1; i < positions; i++) {
        x += channels;
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            bool wins = x[c] > y[c] || x[c] != x[c];
            winner[c] = wins ? (int32_t)i : winner[c];
            y[c] = wins ? x[c] : y[c];
        }
    }
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const global_max_pool *self = layer->self;
    int64_t channels = layer->out.shape.dim[0], size = dl_shape_size(layer->in[0].shape);
    int32_t *winner = layer->buffers[self->winner].memory;
#pragma omp parallel for schedule(static) if (pass->batch * size >= 1 << 14)
    for (int n = 0; n < pass->batch; n++)
        compute_maximum(size / channels, channels, layer->in[0].value + n * size,
                        layer->out.value + n * channels, winner + n * channels);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const global_max_pool *self = layer->self;
    int64_t channels = layer->out.shape.dim[0], size = dl_shape_size(layer->in[0].shape);
    const int32_t *winner = layer->buffers[self->winner].memory;
    if (!layer->in[0].grad)
        return;
#pragma omp parallel for schedule(static) if (pass->batch * size >= 1 << 14)
    for (int n = 0; n < pass->batch; n++) {
        float *dx = layer->in[0].grad + n * size;
        dl_zero(dx, size);
        for (int64_t c = 0; c < channels; c++)
            dx[winner[n * channels + c] * channels + c] = layer->out.grad[n * channels + c];
    }
}

const dl_layer_type dl_layer_global_max_pool = {
    .kind = {"global_max_pool",
             "global max pooling: the maximum of each channel over the whole image or sequence",
             sizeof(global_max_pool), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
