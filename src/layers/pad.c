/* SPDX-License-Identifier: MIT */
/* Zero padding at the sides of an image, or of its channels:
   y[top + h][left + w][first + c] = x[h][w][c], else 0. Backward crops. */
#include "layers/layer.h"
#include "math/vector.h"

typedef struct {
    int64_t height[2], width[2], channels[2]; /* before, after */
} pad;

static const dl_option options[] = {
    DL_PAIR_OPTION("height", pad, height, "0", 0, 1 << 16,
                   "rows of zeros to add above and below: one number, or (above, below)"),
    DL_PAIR_OPTION("width", pad, width, "0", 0, 1 << 16,
                   "columns of zeros to add on the left and right: one number, or (left, right)"),
    DL_PAIR_OPTION("channels", pad, channels, "0", 0, 1 << 16,
                   "channels of zeros to add before and after: one number, or (before, after); "
                   "matches a shortcut to a wider layer"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    const pad *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    if (dl_layer_check_image(layer, in, error))
        return -1;
    layer->out.shape = dl_shape3(in.dim[0] + (int)(self->height[0] + self->height[1]),
                                 in.dim[1] + (int)(self->width[0] + self->width[1]),
                                 in.dim[2] + (int)(self->channels[0] + self->channels[1]));
    layer->needs_input = layer->needs_output = false;
    return 0;
}

/* Index in y of the first channel of a pixel of x. */
static int64_t offset(const dl_layer *layer, int64_t n, int64_t row, int64_t column) {
    const pad *self = layer->self;
    const int *out = layer->out.shape.dim;
    int64_t pixel = (n * out[0] + row + self->height[0]) * out[1] + column + self->width[0];
    return pixel * out[2] + self->channels[0];
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const int *in = layer->in[0].shape.dim;
    int64_t size = dl_shape_size(layer->out.shape);
#pragma omp parallel for schedule(static) if (pass->batch * size >= 1 << 14)
    for (int n = 0; n < pass->batch; n++) {
        dl_zero(layer->out.value + n * size, size);
        for (int64_t h = 0; h < in[0]; h++)
            for (int64_t w = 0; w < in[1]; w++)
                dl_copy(layer->out.value + offset(layer, n, h, w),
                        layer->in[0].value + ((n * in[0] + h) * in[1] + w) * in[2], in[2]);
    }
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const int *in = layer->in[0].shape.dim;
    if (!layer->in[0].grad)
        return;
#pragma omp parallel for schedule(static) if (pass->batch * dl_shape_size(layer->out.shape) >=     \
                                              1 << 14)
    for (int n = 0; n < pass->batch; n++)
        for (int64_t h = 0; h < in[0]; h++)
            for (int64_t w = 0; w < in[1]; w++)
                dl_copy(layer->in[0].grad + ((n * in[0] + h) * in[1] + w) * in[2],
                        layer->out.grad + offset(layer, n, h, w), in[2]);
}

static dl_extent reach(const dl_layer *layer, int input, int axis, int out) {
    const pad *self = layer->self;
    int before = (int)(axis ? self->width : self->height)[0];
    (void)input;
    return (dl_extent){out - before, out - before, 1};
}

const dl_layer_type dl_layer_pad = {
    .kind = {"pad", "adds zeros around an image, or channels of zeros", sizeof(pad), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .reach = reach,
};
