/* SPDX-License-Identifier: MIT */
/* Max and average pooling over windows of each channel, on images and (1d) on sequences, which are
   images of one row here. max: the gradient goes to the maximum (the first of equal ones). avg: the
   mean of the pixels of the window that are inside the image. */
#include "math/pool.h"
#include "layers/layer.h"

typedef struct {
    int64_t size[2], stride[2], padding[2];
    bool ceil_mode;
    dl_window window; /* set by setup */
    dl_maxima maxima;
    int winner; /* buffer: uint8 [batch][oh][ow][c] */
} pool;

#define CEIL_MODE                                                                                  \
    DL_BOOL_OPTION(                                                                                \
        "ceil_mode", pool, ceil_mode, "false",                                                     \
        "also pool a last window that extends beyond the edge, over the part inside; otherwise "   \
        "the positions that only it would cover are dropped (padding = \"same\" covers all)")

static const dl_option options[] = {
    DL_PAIR_OPTION("size", pool, size, "2", 1, 1024, "height and width of the window in pixels"),
    DL_PAIR_OPTION(
        "stride", pool, stride, DL_NO_DEFAULT, 1, 1024,
        "distance between windows in pixels; default: the size of the window, without overlap"),
    DL_PAIR_OR_WORD_OPTION(
        "padding", pool, padding, "valid", 0, 1023, dl_padding_words,
        "padding around the image, which is never pooled: \"same\" (the output has the size of the "
        "input divided by the stride), \"valid\" (none), or a number of pixels on each side"),
    CEIL_MODE,
    DL_OPTIONS_END,
};

static const dl_option line_options[] = {
    DL_INT_OPTION("size", pool, size[1], "2", 1, 1024, "length of the window in steps"),
    DL_INT_OPTION(
        "stride", pool, stride[1], DL_NO_DEFAULT, 1, 1024,
        "distance between windows in steps; default: the size of the window, without overlap"),
    DL_INT_OR_WORD_OPTION(
        "padding", pool, padding[1], "valid", 0, 1023, dl_padding_words,
        "padding at both ends, which is never pooled: \"same\" (the output has the length of the "
        "input divided by the stride), \"valid\" (none), or a number of steps"),
    CEIL_MODE,
    DL_OPTIONS_END,
};

static int set_window(dl_layer *layer, dl_shape image, dl_error *error) {
    pool *self = layer->self;
    return (self->ceil_mode ? dl_window_set_ceil : dl_window_set)(
        &self->window, image, self->size, self->stride, self->padding, layer->where, error);
}

static int setup(dl_layer *layer, dl_error *error) {
    pool *self = layer->self;
    dl_window *w = &self->window;
    for (int axis = 0; axis < 2; axis++)
        if (!self->stride[axis])
            self->stride[axis] = self->size[axis];
    if (set_window(layer, layer->in[0].shape, error))
        return -1;
    layer->out.shape = dl_shape3(w->out_height, w->out_width, w->channels);
    layer->needs_input = layer->needs_output = false;
    return 0;
}

/* x[batch][steps][c]: the options set the second axis of each pair. */
static int setup_line(dl_layer *layer, dl_error *error) {
    pool *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    char shape[48];
    if (dl_layer_check_sequence(layer, error))
        return -1;
    if (!self->stride[1])
        self->stride[1] = self->size[1];
    int64_t padded = in.dim[0] + (self->padding[1] > 0 ? 2 * self->padding[1] : 0) +
                     (self->ceil_mode ? self->stride[1] - 1 : 0);
    if (self->padding[1] != DL_PAD_SAME && self->size[1] > padded)
        return dl_fail(error, DL_USAGE,
                       "%s: a window of %lld steps does not fit into its input of %s", layer->where,
                       (long long)self->size[1], dl_shape_text(shape, in));
    self->size[0] = self->stride[0] = 1;
    self->padding[0] = DL_PAD_VALID;
    if (set_window(layer, dl_shape3(1, in.dim[0], in.dim[1]), error))
        return -1;
    layer->out.shape = (dl_shape){2, {self->window.out_width, in.dim[1], 1, 1}};
    layer->needs_input = layer->needs_output = false;
    return 0;
}

/* Adds the buffer of the positions of the maxima. */
static int add_winner_buffer(dl_layer *layer, dl_error *error) {
    pool *self = layer->self;
    if (self->size[0] * self->size[1] > 256)
        return dl_fail(error, DL_USAGE,
                       "%s: a %lldx%lld %s is too large (at most 256 positions in all)",
                       layer->where, (long long)self->size[0], (long long)self->size[1],
                       layer->type->kind.name);
    self->winner =
        dl_layer_add_buffer(layer, DL_SAVED, layer->max_batch * dl_shape_size(layer->out.shape));
    self->maxima = (dl_maxima){&self->window, layer->in[0].shape, &layer->buffers[self->winner]};
    layer->out.maxima = &self->maxima;
    return 0;
}

static int setup_max(dl_layer *layer, dl_error *error) {
    return setup(layer, error) ? -1 : add_winner_buffer(layer, error);
}

static int setup_max_line(dl_layer *layer, dl_error *error) {
    return setup_line(layer, error) ? -1 : add_winner_buffer(layer, error);
}

static void forward_max(dl_layer *layer, const dl_pass *pass) {
    const pool *self = layer->self;
    dl_max_pool_forward(&self->window, pass->batch, layer->in[0].value, layer->out.value,
                        layer->buffers[self->winner].memory);
}

static void backward_max(dl_layer *layer, const dl_pass *pass) {
    const pool *self = layer->self;
    if (layer->in[0].grad)
        dl_max_pool_backward(&self->window, pass->batch, layer->out.grad,
                             layer->buffers[self->winner].memory, layer->in[0].grad);
}

static void forward_avg(dl_layer *layer, const dl_pass *pass) {
    const pool *self = layer->self;
    dl_avg_pool_forward(&self->window, pass->batch, layer->in[0].value, layer->out.value);
}

static void backward_avg(dl_layer *layer, const dl_pass *pass) {
    const pool *self = layer->self;
    if (layer->in[0].grad)
        dl_avg_pool_backward(&self->window, pass->batch, layer->out.grad, layer->in[0].grad);
}

/* A sequence is an image of one row. */
static dl_extent reach(const dl_layer *layer, int input, int axis, int out) {
    const pool *self = layer->self;
    (void)input;
    return dl_window_reach(&self->window, layer->out.shape.rank == 2 ? 1 : axis, out);
}

const dl_layer_type dl_layer_max_pool = {
    .kind = {"max_pool", "max pooling: the maximum of each channel within a window", sizeof(pool),
             options},
    .setup = setup_max,
    .forward = forward_max,
    .backward = backward_max,
    .reach = reach,
};

const dl_layer_type dl_layer_avg_pool = {
    .kind = {"avg_pool", "average pooling: the mean of each channel within a window", sizeof(pool),
             options},
    .setup = setup,
    .forward = forward_avg,
    .backward = backward_avg,
    .reach = reach,
};

const dl_layer_type dl_layer_max_pool1d = {
    .kind = {"max_pool1d", "max pooling of a sequence: the maximum of each channel within a window",
             sizeof(pool), line_options},
    .setup = setup_max_line,
    .forward = forward_max,
    .backward = backward_max,
    .reach = reach,
};

const dl_layer_type dl_layer_avg_pool1d = {
    .kind = {"avg_pool1d",
             "average pooling of a sequence: the mean of each channel within a window",
             sizeof(pool), line_options},
    .setup = setup_line,
    .forward = forward_avg,
    .backward = backward_avg,
    .reach = reach,
};
