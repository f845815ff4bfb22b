/* SPDX-License-Identifier: MIT */
/* Crops a rectangle out of an image: y[h][w][c] = x[top + h][left + w][c]. With a second input,
   height and width are those of that input, as where the decoder of a U-Net joins its encoder:
   Ronneberger et al., MICCAI 2015. The gradient outside the rectangle is 0. */
#include "layers/layer.h"
#include "math/vector.h"

typedef struct {
    int64_t height, width, top, left; /* setup fills in defaults */
} crop;

enum { CENTER = -1 };
static const char *const center_words[] = {"center", NULL};

static const dl_option options[] = {
    DL_INT_OPTION("height", crop, height, DL_NO_DEFAULT, 1, 1 << 24,
                  "rows to keep; default: all, or as many as the second input has"),
    DL_INT_OPTION("width", crop, width, DL_NO_DEFAULT, 1, 1 << 24,
                  "columns to keep; default: all, or as many as the second input has"),
    DL_INT_OR_WORD_OPTION(
        "top", crop, top, "center", 0, 1 << 24, center_words,
        "rows to remove at the top; \"center\" removes as many as at the bottom, or one fewer"),
    DL_INT_OR_WORD_OPTION(
        "left", crop, left, "center", 0, 1 << 24, center_words,
        "columns to remove on the left; \"center\" removes as many as on the right, or one fewer"),
    DL_OPTIONS_END,
};

/* Fills in height and width from the second input, or from the first if it is the only one. */
static int choose_size(dl_layer *layer, dl_error *error) {
    crop *self = layer->self;
    const dl_shape in = layer->in[0].shape, like = layer->in[layer->input_count - 1].shape;
    if (layer->input_count > 1 && (self->height || self->width))
        return dl_fail(error, DL_USAGE,
                       "%s: height and width have no effect in a crop to the size of a second "
                       "input",
                       layer->where);
    if (dl_layer_check_image(layer, in, error) || dl_layer_check_image(layer, like, error))
        return -1;
    self->height = self->height ? self->height : like.dim[0];
    self->width = self->width ? self->width : like.dim[1];
    return 0;
}

static int setup(dl_layer *layer, dl_error *error) {
    crop *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    char shape[48];
    if (choose_size(layer, error))
        return -1;
    self->top = self->top == CENTER ? (in.dim[0] - self->height) / 2 : self->top;
    self->left = self->left == CENTER ? (in.dim[1] - self->width) / 2 : self->left;
    if (self->height > in.dim[0] || self->width > in.dim[1])
        return dl_fail(error, DL_USAGE, "%s: a crop of %lldx%lld is larger than its input of %s",
                       layer->where, (long long)self->height, (long long)self->width,
                       dl_shape_text(shape, in));
    if (self->top + self->height > in.dim[0] || self->left + self->width > in.dim[1])
        return dl_fail(error, DL_USAGE,
                       "%s: a crop of %lldx%lld at row %lld and column %lld extends beyond its "
                       "input of %s",
                       layer->where, (long long)self->height, (long long)self->width,
                       (long long)self->top, (long long)self->left, dl_shape_text(shape, in));
    layer->out.shape = dl_shape3((int)self->height, (int)self->width, in.dim[2]);
    layer->needs_input = layer->needs_output = false;
    return 0;
}

/* Index in x of the first value of row h of sample n of y. */
static int64_t offset(const dl_layer *layer, int64_t n, int64_t h) {
    const crop *self = layer->self;
    const int *in = layer->in[0].shape.dim;
    return ((n * in[0] + self->top + h) * in[1] + self->left) * in[2];
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const int *out = layer->out.shape.dim;
    int64_t size = dl_shape_size(layer->out.shape), row = (int64_t)out[1] * out[2];
#pragma omp parallel for schedule(static) if (pass->batch * size >= 1 << 14)
    for (int n = 0; n < pass->batch; n++)
        for (int64_t h = 0; h < out[0]; h++)
            dl_copy(layer->out.value + n * size + h * row, layer->in[0].value + offset(layer, n, h),
                    row);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const int *out = layer->out.shape.dim;
    int64_t size = dl_shape_size(layer->out.shape), row = (int64_t)out[1] * out[2];
    int64_t whole = dl_shape_size(layer->in[0].shape);
    if (layer->input_count > 1 && layer->in[1].grad) /* only its size matters */
        dl_zero(layer->in[1].grad, pass->batch * dl_shape_size(layer->in[1].shape));
    if (!layer->in[0].grad)
        return;
#pragma omp parallel for schedule(static) if (pass->batch * whole >= 1 << 14)
    for (int n = 0; n < pass->batch; n++) {
        dl_zero(layer->in[0].grad + n * whole, whole);
        for (int64_t h = 0; h < out[0]; h++)
            dl_copy(layer->in[0].grad + offset(layer, n, h), layer->out.grad + n * size + h * row,
                    row);
    }
}

static dl_extent reach(const dl_layer *layer, int input, int axis, int out) {
    const crop *self = layer->self;
    int before = (int)(axis ? self->left : self->top);
    return input ? (dl_extent){0, -1, 1} : (dl_extent){out + before, out + before, 1};
}

const dl_layer_type dl_layer_crop = {
    .kind = {"crop",
             "crops an image to a height and width, or to those of a second input: inputs = "
             "(\"a\", \"like\")",
             sizeof(crop), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .reach = reach,
    .max_inputs = 2,
};
