/* SPDX-License-Identifier: MIT */
/* Convolution: y[oy][ox][f] = f(sum over ky, kx, c of
   x[oy*stride + ky*dilation - pad][ox*stride + kx*dilation - pad][c] W[ky][kx][c][f] + b[f]).
   LeCun et al., "Gradient-based learning applied to document recognition", 1998. With groups
   (Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", NIPS 2012)
   filter f reads only the channels of its group.
   x[batch][h][w][c], W[kh][kw][c / groups][filters], b[filters], y[batch][oh][ow][filters].
   conv1d is the same along time: x[batch][t][c], W[k][c][filters], y[batch][ot][filters]. */
#include "layers/weights.h"
#include "math/conv.h"

typedef struct {
    int64_t filters, kernel[2], stride[2], padding[2], dilation[2], groups;
    dl_weights weights;
    dl_conv conv; /* set by setup */
    int scratch;
} conv2d;

static const dl_option options[] = {
    DL_INT_OPTION("filters", conv2d, filters, DL_REQUIRED, 1, 1 << 16,
                  "number of filters, and of output channels"),
    DL_PAIR_OPTION("kernel", conv2d, kernel, DL_REQUIRED, 1, 1024,
                   "height and width of the kernel in pixels"),
    DL_PAIR_OPTION("stride", conv2d, stride, "1", 1, 1024,
                   "distance between windows in pixels: 2 halves the size of the image"),
    DL_PAIR_OR_WORD_OPTION(
        "padding", conv2d, padding, "valid", 0, 1023, dl_padding_words,
        "zeros added around the image: \"same\" (the output has the size of the input divided by "
        "the stride), \"valid\" (none), or a number of pixels on each side"),
    DL_PAIR_OPTION("dilation", conv2d, dilation, "1", 1, 1024,
                   "distance between the elements of the kernel in pixels: larger values widen the "
                   "receptive field without more weights"),
    DL_INT_OPTION(
        "groups", conv2d, groups, "1", 1, 1 << 16,
        "split channels and filters into this many groups, in which each filter reads only the "
        "channels of its group; must divide both numbers. 1 is an ordinary convolution"),
    DL_WEIGHTS_OPTIONS(conv2d, weights),
    DL_OPTIONS_END,
};

/* Time is the second axis of each pair. */
static const dl_option options_1d[] = {
    DL_INT_OPTION("filters", conv2d, filters, DL_REQUIRED, 1, 1 << 16,
                  "number of filters, and of output channels"),
    DL_INT_OPTION("kernel", conv2d, kernel[1], DL_REQUIRED, 1, 1 << 16,
                  "length of the kernel in steps"),
    DL_INT_OPTION("stride", conv2d, stride[1], "1", 1, 1 << 16,
                  "distance between windows in steps"),
    DL_INT_OR_WORD_OPTION("padding", conv2d, padding[1], "valid", 0, 1 << 16, dl_padding_words,
                          "zeros added at both ends: \"same\" (the output has the length of the "
                          "input divided by the stride), \"valid\" (none), or a number of steps"),
    DL_INT_OPTION("dilation", conv2d, dilation[1], "1", 1, 1 << 16,
                  "distance between the elements of the kernel in steps"),
    DL_INT_OPTION(
        "groups", conv2d, groups, "1", 1, 1 << 16,
        "split channels and filters into this many groups, in which each filter reads only the "
        "channels of its group; must divide both numbers. 1 is an ordinary convolution"),
    DL_WEIGHTS_OPTIONS(conv2d, weights),
    DL_OPTIONS_END,
};

static int check_groups(const dl_layer *layer, const conv2d *self, int channels, dl_error *error) {
    if (channels % self->groups == 0 && self->filters % self->groups == 0)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: %lld groups do not divide %d channels and %lld filters",
                   layer->where, (long long)self->groups, channels, (long long)self->filters);
}

/* Sets up the convolution of an image of that shape. */
static int setup_image(dl_layer *layer, dl_shape image, dl_error *error) {
    conv2d *self = layer->self;
    dl_window *w = &self->conv.window;
    if (dl_window_set_dilated(w, image, self->kernel, self->stride, self->dilation, self->padding,
                              layer->where, error) ||
        check_groups(layer, self, w->channels, error))
        return -1;
    int filters = (int)self->filters, channels = w->channels / (int)self->groups;
    int64_t area = (int64_t)w->kernel[0] * w->kernel[1];
    if (area * channels > INT32_MAX || area * channels * filters > (int64_t)1 << 33)
        return dl_fail(error, DL_USAGE, "%s: %lld filters of %dx%dx%d have too many weights",
                       layer->where, (long long)filters, w->kernel[0], w->kernel[1], channels);
    dl_shape shape = {4, {w->kernel[0], w->kernel[1], channels, filters}};
    if (dl_weights_declare(layer, &self->weights, shape, area * channels, area * filters, filters,
                           error))
        return -1;
    layer->out.shape = dl_shape3(w->out_height, w->out_width, filters);
    dl_layer_set_activation(layer, &self->weights.activation);
    layer->ends_in_bias = dl_weights_end_in_bias(&self->weights);
    layer->operations = 2 * dl_shape_size(layer->out.shape) * area * channels;
    self->conv.filters = filters;
    self->conv.groups = (int)self->groups;
    self->conv.bias = self->weights.bias;
    self->conv.training = layer->training;
    self->conv.activation = layer->fused;
    dl_conv_plan(&self->conv, layer->max_batch, layer->threads);
    self->scratch = dl_layer_add_buffer(layer, DL_SCRATCH, (int64_t)dl_conv_scratch(&self->conv));
    return 0;
}

static int setup(dl_layer *layer, dl_error *error) {
    return setup_image(layer, layer->in[0].shape, error);
}

static int setup_1d(dl_layer *layer, dl_error *error) {
    conv2d *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    if (dl_layer_check_sequence(layer, error))
        return -1;
    self->kernel[0] = self->stride[0] = self->dilation[0] = 1;
    self->padding[0] = DL_PAD_VALID;
    if (setup_image(layer, dl_shape3(1, in.dim[0], in.dim[1]), error))
        return -1;
    layer->out.shape = dl_shape2(layer->out.shape.dim[1], layer->out.shape.dim[2]);
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

/* A sequence is an image of one row. */
static dl_extent reach(const dl_layer *layer, int input, int axis, int out) {
    const conv2d *self = layer->self;
    (void)input;
    return dl_window_reach(&self->conv.window, layer->out.shape.rank == 2 ? 1 : axis, out);
}

static void close_conv(dl_layer *layer) {
    conv2d *self = layer->self;
    dl_conv_free(&self->conv);
}

const dl_layer_type dl_layer_conv2d = {
    .kind = {"conv2d", "two-dimensional convolution: slides learned filters over an image",
             sizeof(conv2d), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .reach = reach,
    .close = close_conv,
};

const dl_layer_type dl_layer_conv1d = {
    .kind = {"conv1d", "one-dimensional convolution: slides learned filters along a sequence",
             sizeof(conv2d), options_1d},
    .setup = setup_1d,
    .forward = forward,
    .backward = backward,
    .reach = reach,
    .close = close_conv,
};
