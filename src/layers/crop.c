/* SPDX-License-Identifier: MIT */
/* Cuts a rectangle out of an image: y[h][w][c] = x[top + h][left + w][c]. With a second input the
   rectangle is of that one's height and width, as where a decoder meets its encoder: Ronneberger et
   al., "U-Net", MICCAI 2015. The gradient goes back to where it was cut from, 0 to the rest. */
#include "layers/layer.h"
#include "math/vector.h"

typedef struct {
    int64_t height, width, top, left; /* setup replaces what was left out */
} crop;

enum { CENTRE = -1 };
static const char *const place_words[] = {"centre", NULL};

static const dl_option options[] = {
    DL_INT_OPTION("height", crop, height, DL_NO_DEFAULT, 1, 1 << 24,
                  "rows that are kept; left out: all, or as many as the second input has"),
    DL_INT_OPTION("width", crop, width, DL_NO_DEFAULT, 1, 1 << 24,
                  "columns that are kept; left out: all, or as many as the second input has"),
    DL_INT_OR_WORD_OPTION(
        "top", crop, top, "centre", 0, 1 << 24, place_words,
        "rows that are cut off above; \"centre\": as many as below, or one fewer"),
    DL_INT_OR_WORD_OPTION(
        "left", crop, left, "centre", 0, 1 << 24, place_words,
        "columns that are cut off to the left; \"centre\": as many as to the right, or one fewer"),
    DL_OPTIONS_END,
};

/* Takes the size from the second input, or from the first where none is given. */
static int choose_size(dl_layer *layer, dl_error *error) {
    crop *self = layer->self;
    const dl_shape in = layer->in[0].shape, like = layer->in[layer->input_count - 1].shape;
    char shape[48];
    if (layer->input_count > 1 && (self->height || self->width))
        return dl_fail(error, DL_USAGE,
                       "%s: a crop to the size of its second input has no height and width of its "
                       "own",
                       layer->where);
    if (in.rank != 3 || like.rank != 3)
        return dl_fail(error, DL_USAGE, "%s: needs an image (height x width x channels), not %s",
                       layer->where, dl_shape_text(shape, in.rank != 3 ? in : like));
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
    self->top = self->top == CENTRE ? (in.dim[0] - self->height) / 2 : self->top;
    self->left = self->left == CENTRE ? (in.dim[1] - self->width) / 2 : self->left;
    if (self->height > in.dim[0] || self->width > in.dim[1])
        return dl_fail(error, DL_USAGE, "%s: a crop of %lldx%lld is larger than its input of %s",
                       layer->where, (long long)self->height, (long long)self->width,
                       dl_shape_text(shape, in));
    if (self->top + self->height > in.dim[0] || self->left + self->width > in.dim[1])
        return dl_fail(error, DL_USAGE,
                       "%s: a crop of %lldx%lld from row %lld and column %lld on does not fit into "
                       "its input of %s",
                       layer->where, (long long)self->height, (long long)self->width,
                       (long long)self->top, (long long)self->left, dl_shape_text(shape, in));
    layer->out.shape = dl_shape3((int)self->height, (int)self->width, in.dim[2]);
    layer->needs_input = layer->needs_output = false;
    return 0;
}

/* Where row h of y, sample n, begins in x. */
static int64_t place(const dl_layer *layer, int64_t n, int64_t h) {
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
            dl_copy(layer->out.value + n * size + h * row, layer->in[0].value + place(layer, n, h),
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
            dl_copy(layer->in[0].grad + place(layer, n, h), layer->out.grad + n * size + h * row,
                    row);
    }
}

const dl_layer_type dl_layer_crop = {
    .kind = {"crop",
             "a part of an image, of a given height and width or, with inputs = (\"a\", \"like\"), "
             "of those of the second input",
             sizeof(crop), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .most_inputs = 2,
};
