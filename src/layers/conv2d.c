/* Two-dimensional convolution: y[oy][ox][f] = f(sum over ky, kx, c of
   x[oy*stride + ky - pad][ox*stride + kx - pad][c] W[ky][kx][c][f] + b[f]).
   LeCun et al., "Gradient-based learning applied to document recognition", 1998.
   x[batch][h][w][c], W[kh][kw][c][filters], b[filters], y[batch][oh][ow][filters]. */
#include "layers/weights.h"
#include "math/conv.h"

typedef struct {
    int64_t filters, kernel[2], stride[2], padding[2];
    dl_weights weights;
    dl_conv conv; /* made by setup */
    int scratch;
} conv2d;

static const dl_option options[] = {
    {"filters", DL_INT, offsetof(conv2d, filters), NULL, 1, 1 << 16, NULL,
     "number of output channels"},
    {"kernel", DL_PAIR, offsetof(conv2d, kernel), NULL, 1, 1024, NULL, "size of the window"},
    {"stride", DL_PAIR, offsetof(conv2d, stride), "1", 1, 1024, NULL,
     "pixels from one window to the next"},
    {"padding", DL_PAIR, offsetof(conv2d, padding), "valid", 0, 1023, dl_padding_words,
     "zeros around the image: same (as many outputs as inputs, divided by the stride), valid "
     "(none), or a number of pixels on each side"},
    DL_WEIGHTS_OPTIONS(conv2d, weights),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    conv2d *self = layer->self;
    dl_window *w = &self->conv.window;
    if (dl_window_place(w, layer->in[0].shape, self->kernel, self->stride, self->padding,
                        layer->where, error))
        return -1;
    int filters = (int)self->filters;
    int64_t area = (int64_t)w->kernel[0] * w->kernel[1];
    if (area * w->channels > INT32_MAX || area * w->channels * filters > (int64_t)1 << 33)
        return dl_fail(error, DL_USAGE, "%s: %lld filters of %dx%dx%d are too many weights",
                       layer->where, (long long)filters, w->kernel[0], w->kernel[1], w->channels);
    dl_shape shape = {4, {w->kernel[0], w->kernel[1], w->channels, filters}};
    dl_weights_declare(layer, &self->weights, shape, area * w->channels, area * filters, filters);
    layer->out.shape = dl_shape3(w->out_height, w->out_width, filters);
    layer->needs_output = self->weights.activation.kind != DL_LINEAR;
    layer->operations = 2 * dl_shape_size(layer->out.shape) * area * w->channels;
    self->conv.filters = filters;
    self->conv.bias = self->weights.bias;
    self->conv.training = layer->training;
    self->conv.activation = self->weights.activation;
    dl_conv_plan(&self->conv, layer->max_batch, layer->threads);
    self->scratch = dl_layer_add_buffer(layer, DL_SCRATCH, (int64_t)dl_conv_scratch(&self->conv));
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const conv2d *self = layer->self;
    dl_conv_forward(&self->conv, pass->batch, layer->in[0].value, layer->params[0].value,
                    dl_weights_bias(layer), layer->out.value, layer->buffers[self->scratch].memory);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const conv2d *self = layer->self;
    const dl_param *weight = &layer->params[0];
    dl_conv_backward(&self->conv, pass->batch, layer->in[0].value, layer->out.value,
                     layer->out.grad, weight->value, layer->in[0].grad, weight->beta, weight->grad,
                     dl_weights_bias_grad(layer), layer->buffers[self->scratch].memory);
}

static void close_conv(dl_layer *layer) {
    conv2d *self = layer->self;
    dl_conv_free(&self->conv);
}

const dl_layer_type dl_layer_conv2d = {
    .kind =
        {"conv2d",
         "two-dimensional convolution: the same small window of weights at every place of an image",
         sizeof(conv2d), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .close = close_conv,
};
