/* SPDX-License-Identifier: MIT */
/* Depthwise convolution, of each channel separately: y[oy][ox][c*multiplier + m] = f(sum over ky,
   kx of x[oy*stride + ky*dilation - pad][…][c] W[ky][kx][c][m] + b). Followed by a 1x1 convolution
   it is a separable one: Chollet, "Xception: deep learning with depthwise separable convolutions",
   CVPR 2017; Howard et al., "MobileNets", 2017. x[batch][h][w][c], W[kh][kw][c][multiplier],
   b[c*multiplier], y[batch][oh][ow][c*multiplier]. */
#include "layers/weights.h"
#include "math/depthwise.h"

typedef struct {
    int64_t multiplier, kernel[2], stride[2], padding[2], dilation[2];
    dl_weights weights;
    dl_window window; /* set by setup */
    int scratch;
} depthwise;

static const dl_option options[] = {
    DL_PAIR_OPTION("kernel", depthwise, kernel, DL_REQUIRED, 1, 1024,
                   "height and width of the kernel in pixels"),
    DL_INT_OPTION("multiplier", depthwise, multiplier, "1", 1, 1024,
                  "number of filters, and of outputs, per channel"),
    DL_PAIR_OPTION("stride", depthwise, stride, "1", 1, 1024,
                   "distance between windows in pixels: 2 halves the size of the image"),
    DL_PAIR_OR_WORD_OPTION(
        "padding", depthwise, padding, "valid", 0, 1023, dl_padding_words,
        "zeros added around the image: \"same\" (the output has the size of the input divided by "
        "the stride), \"valid\" (none), or a number of pixels on each side"),
    DL_PAIR_OPTION("dilation", depthwise, dilation, "1", 1, 1024,
                   "distance between the elements of the kernel in pixels: larger values widen the "
                   "receptive field without more weights"),
    DL_WEIGHTS_OPTIONS(depthwise, weights),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    depthwise *self = layer->self;
    dl_window *w = &self->window;
    if (dl_window_set_dilated(w, layer->in[0].shape, self->kernel, self->stride, self->dilation,
                              self->padding, layer->where, error))
        return -1;
    int64_t area = (int64_t)w->kernel[0] * w->kernel[1], outputs = w->channels * self->multiplier;
    if (outputs > 1 << 24 || area * outputs > INT32_MAX)
        return dl_fail(error, DL_USAGE, "%s: %lld outputs of %dx%d have too many weights",
                       layer->where, (long long)outputs, w->kernel[0], w->kernel[1]);
    dl_shape shape = {4, {w->kernel[0], w->kernel[1], w->channels, (int)self->multiplier}};
    if (dl_weights_declare(layer, &self->weights, shape, area, area * self->multiplier,
                           (int)outputs, error))
        return -1;
    layer->params[0].columns = outputs;
    layer->params[0].layout = DL_TORCH_DEPTHWISE;
    layer->out.shape = dl_shape3(w->out_height, w->out_width, (int)outputs);
    dl_layer_set_activation(layer, &self->weights.activation);
    layer->ends_in_bias = dl_weights_end_in_bias(&self->weights);
    layer->operations = 2 * dl_shape_size(layer->out.shape) * area;
    self->scratch = dl_layer_add_buffer(
        layer, DL_SCRATCH,
        layer->training ? (int64_t)dl_depthwise_scratch(w, (int)self->multiplier) : 0);
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const depthwise *self = layer->self;
    dl_depthwise_forward(&self->window, (int)self->multiplier, pass->batch, layer->in[0].value,
                         layer->params[0].value, layer->out.value);
    dl_activate(&layer->fused, dl_layer_rows(layer, pass), layer->out.shape.dim[2],
                dl_weights_bias(layer), layer->out.value, layer->out.value);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const depthwise *self = layer->self;
    int multiplier = (int)self->multiplier;
    dl_activate_backward(&layer->fused, dl_layer_rows(layer, pass), layer->out.shape.dim[2],
                         layer->out.value, layer->out.grad, layer->out.grad,
                         dl_weights_bias_grad(layer));
    dl_depthwise_backward_weights(&self->window, multiplier, pass->batch, layer->in[0].value,
                                  layer->out.grad, layer->params[0].beta, layer->params[0].grad,
                                  layer->buffers[self->scratch].memory);
    if (layer->in[0].grad)
        dl_depthwise_backward_data(&self->window, multiplier, pass->batch, layer->out.grad,
                                   layer->params[0].value, layer->in[0].grad);
}

static dl_extent reach(const dl_layer *layer, int input, int axis, int out) {
    (void)input;
    return dl_window_reach(&((const depthwise *)layer->self)->window, axis, out);
}

const dl_layer_type dl_layer_depthwise_conv2d = {
    .kind = {"depthwise_conv2d",
             "depthwise convolution: filters each channel separately. Followed by a 1x1 conv2d it "
             "makes a separable convolution, with far fewer weights than conv2d",
             sizeof(depthwise), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .reach = reach,
};
