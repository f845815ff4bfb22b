/* SPDX-License-Identifier: MIT */
/* Transposed convolution ("deconvolution"), which upsamples with learned weights. Each input pixel
   spreads its channels over a window of the output, y[iy*stride + ky - pad][ix*stride + kx -
   pad][f] += sum over c of x[iy][ix][c] W[ky][kx][f][c], then bias and activation: the backward
   pass of a convolution from y to x. Zeiler et al., "Deconvolutional networks", CVPR 2010.
   x[batch][h][w][c], W[kh][kw][filters][c], b[filters], y[batch][oh][ow][filters]. */
#include "layers/weights.h"
#include "math/conv.h"

typedef struct {
    int64_t filters, kernel[2], stride[2], padding[2];
    dl_weights weights;
    dl_conv conv; /* set by setup: from y to x */
    int scratch;
} conv2d_transpose;

static const dl_option options[] = {
    DL_INT_OPTION("filters", conv2d_transpose, filters, DL_REQUIRED, 1, 1 << 16,
                  "number of filters, and of output channels"),
    DL_PAIR_OPTION("kernel", conv2d_transpose, kernel, DL_REQUIRED, 1, 1024,
                   "height and width of the kernel in pixels"),
    DL_PAIR_OPTION("stride", conv2d_transpose, stride, "1", 1, 1024,
                   "distance between windows in output pixels: 2 doubles the size of the image"),
    DL_PAIR_OR_WORD_OPTION(
        "padding", conv2d_transpose, padding, "valid", 0, 1023, dl_padding_words,
        "pixels cropped from the output: \"same\" (the output has the size of the input times the "
        "stride), \"valid\" (none), or a number of pixels on each side"),
    DL_WEIGHTS_OPTIONS(conv2d_transpose, weights),
    DL_OPTIONS_END,
};

/* The output's size along an axis. */
static int64_t output_size(const conv2d_transpose *self, int axis, int64_t in) {
    int64_t full = (in - 1) * self->stride[axis] + self->kernel[axis];
    switch (self->padding[axis]) {
    case DL_PAD_SAME:
        return in * self->stride[axis];
    case DL_PAD_VALID:
        return full;
    default:
        return full - 2 * self->padding[axis];
    }
}

static int setup(dl_layer *layer, dl_error *error) {
    conv2d_transpose *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    dl_window *w = &self->conv.window;
    char shape[48];
    if (dl_layer_check_image(layer, in, error))
        return -1;
    int64_t height = output_size(self, 0, in.dim[0]), width = output_size(self, 1, in.dim[1]);
    if (height < 1 || width < 1 || height > 1 << 20 || width > 1 << 20)
        return dl_fail(error, DL_USAGE, "%s: from %s the output would be %lldx%lld dl_layer_rows",
                       layer->where, dl_shape_text(shape, in), (long long)height, (long long)width);
    layer->out.shape = dl_shape3((int)height, (int)width, (int)self->filters);
    if (dl_window_set(w, layer->out.shape, self->kernel, self->stride, self->padding, layer->where,
                      error))
        return -1;
    if (w->out_height != in.dim[0] || w->out_width != in.dim[1])
        return dl_fail(error, DL_USAGE,
                       "%s: a kernel of %dx%d with this stride and padding does not match an input "
                       "of %s",
                       layer->where, w->kernel[0], w->kernel[1], dl_shape_text(shape, in));
    int64_t area = (int64_t)w->kernel[0] * w->kernel[1];
    dl_shape weight = {4, {w->kernel[0], w->kernel[1], (int)self->filters, in.dim[2]}};
    int64_t phases = 1; /* an output pixel reads the kernel elements of its phase of the stride */
    for (int axis = 0; axis < 2; axis++)
        phases *= w->stride[axis] < w->kernel[axis] ? w->stride[axis] : w->kernel[axis];
    int64_t fan_in = area * in.dim[2] / phases;
    if (dl_weights_declare(layer, &self->weights, weight, fan_in, area * self->filters,
                           (int)self->filters, error))
        return -1;
    layer->params[0].units = self->filters;
    layer->params[0].inner = in.dim[2];
    dl_layer_set_activation(layer, &self->weights.activation);
    layer->ends_in_bias = dl_weights_end_in_bias(&self->weights);
    layer->operations = 2 * dl_shape_size(in) * area * self->filters;
    self->conv.filters = in.dim[2];
    self->conv.training = true; /* forward runs its backward pass */
    self->conv.separate = true;
    dl_conv_plan(&self->conv, layer->max_batch, layer->threads);
    self->scratch = dl_layer_add_buffer(layer, DL_SCRATCH, (int64_t)dl_conv_scratch(&self->conv));
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const conv2d_transpose *self = layer->self;
    dl_conv_backward_data(&self->conv, pass->batch, layer->in[0].value, layer->params[0].value,
                          layer->out.value, layer->buffers[self->scratch].memory);
    dl_activate(&layer->fused, dl_layer_rows(layer, pass), self->filters, dl_weights_bias(layer),
                layer->out.value, layer->out.value);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const conv2d_transpose *self = layer->self;
    void *scratch = layer->buffers[self->scratch].memory;
    const dl_param *weight = &layer->params[0];
    dl_activate_backward(&layer->fused, dl_layer_rows(layer, pass), self->filters, layer->out.value,
                         layer->out.grad, layer->out.grad, dl_weights_bias_grad(layer));
    dl_conv_backward_weights(&self->conv, pass->batch, layer->out.grad, layer->in[0].value,
                             weight->beta, weight->grad, scratch);
    if (layer->in[0].grad)
        dl_conv_forward(&self->conv, pass->batch, layer->out.grad, weight->value, NULL,
                        layer->in[0].grad, scratch);
}

static dl_extent reach(const dl_layer *layer, int input, int axis, int out) {
    (void)input;
    return dl_window_reached(&((const conv2d_transpose *)layer->self)->conv.window, axis, out);
}

static void close_conv(dl_layer *layer) {
    conv2d_transpose *self = layer->self;
    dl_conv_free(&self->conv);
}

const dl_layer_type dl_layer_conv2d_transpose = {
    .kind = {"conv2d_transpose",
             "transposed convolution: upsamples an image with learned filters, as in decoders "
             "(U-Net, autoencoders, generators)",
             sizeof(conv2d_transpose), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .reach = reach,
    .close = close_conv,
};
