/* SPDX-License-Identifier: MIT */
/* Convolution of each channel by itself: y[oy][ox][c*multiplier + m] = f(sum over ky, kx of
   x[oy*stride + ky*dilation - pad][…][c] W[ky][kx][c][m] + b). Before a 1x1 convolution it makes a
   separable one: Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR
   2017; Howard et al., "MobileNets", 2017. x[batch][h][w][c], W[kh][kw][c][multiplier],
   b[c*multiplier], y[batch][oh][ow][c*multiplier]. */
#include "layers/weights.h"
#include "math/depthwise.h"

typedef struct {
    int64_t multiplier, kernel[2], stride[2], padding[2], dilation[2];
    dl_weights weights;
    dl_window window; /* made by setup */
    int scratch;
} depthwise;

static const dl_option options[] = {
    DL_PAIR_OPTION("kernel", depthwise, kernel, DL_REQUIRED, 1, 1024, "size of the window"),
    DL_INT_OPTION("multiplier", depthwise, multiplier, "1", 1, 1024, "outputs of each channel"),
    DL_PAIR_OPTION("stride", depthwise, stride, "1", 1, 1024, "pixels from one window to the next"),
    DL_PAIR_OR_WORD_OPTION(
        "padding", depthwise, padding, "valid", 0, 1023, dl_padding_words,
        "zeros around the image: same, valid (none), or a number of pixels on each side"),
    DL_PAIR_OPTION("dilation", depthwise, dilation, "1", 1, 1024,
                   "pixels from one tap of the window to the next"),
    DL_WEIGHTS_OPTIONS(depthwise, weights),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    depthwise *self = layer->self;
    dl_window *w = &self->window;
    if (dl_window_place_dilated(w, layer->in[0].shape, self->kernel, self->stride, self->dilation,
                                self->padding, layer->where, error))
        return -1;
    int64_t area = (int64_t)w->kernel[0] * w->kernel[1], outputs = w->channels * self->multiplier;
    if (outputs > 1 << 24 || area * outputs > INT32_MAX)
        return dl_fail(error, DL_USAGE, "%s: %lld outputs of %dx%d are too many weights",
                       layer->where, (long long)outputs, w->kernel[0], w->kernel[1]);
    dl_shape shape = {4, {w->kernel[0], w->kernel[1], w->channels, (int)self->multiplier}};
    dl_weights_declare(layer, &self->weights, shape, area, area * self->multiplier, (int)outputs);
    layer->params[0].columns = outputs;
    layer->out.shape = dl_shape3(w->out_height, w->out_width, (int)outputs);
    dl_layer_set_activation(layer, &self->weights.activation);
    layer->ends_in_bias = dl_weights_end_in_bias(&self->weights);
    layer->operations = 2 * dl_shape_size(layer->out.shape) * area;
    self->scratch = dl_layer_add_buffer(
        layer, DL_SCRATCH,
        layer->training ? (int64_t)dl_depthwise_scratch(w, (int)self->multiplier) : 0);
    return 0;
}

static int64_t pixels(const dl_layer *layer, const dl_pass *pass) {
    return (int64_t)pass->batch * layer->out.shape.dim[0] * layer->out.shape.dim[1];
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const depthwise *self = layer->self;
    dl_depthwise_forward(&self->window, (int)self->multiplier, pass->batch, layer->in[0].value,
                         layer->params[0].value, layer->out.value);
    dl_activate(&layer->fused, pixels(layer, pass), layer->out.shape.dim[2], dl_weights_bias(layer),
                layer->out.value, layer->out.value);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const depthwise *self = layer->self;
    int multiplier = (int)self->multiplier;
    dl_activate_backward(&layer->fused, pixels(layer, pass), layer->out.shape.dim[2],
                         layer->out.value, layer->out.grad, layer->out.grad,
                         dl_weights_bias_grad(layer));
    dl_depthwise_backward_weights(&self->window, multiplier, pass->batch, layer->in[0].value,
                                  layer->out.grad, layer->params[0].beta, layer->params[0].grad,
                                  layer->buffers[self->scratch].memory);
    if (layer->in[0].grad)
        dl_depthwise_backward_data(&self->window, multiplier, pass->batch, layer->out.grad,
                                   layer->params[0].value, layer->in[0].grad);
}

const dl_layer_type dl_layer_depthwise_conv2d = {
    .kind = {"depthwise_conv2d",
             "convolution of each channel by itself; a 1x1 conv2d behind it makes a separable "
             "convolution",
             sizeof(depthwise), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
