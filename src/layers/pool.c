/* SPDX-License-Identifier: MIT */
/* Max and average pooling over windows, channel by channel, on images and (the 1d ones) along
   sequences, which are images of one row here.
   max: y = the largest x under the window; the gradient goes to it (the first of several equal
   ones). avg: y = the mean of the pixels under the window that are inside the image. */
#include "math/pool.h"
#include "layers/layer.h"

typedef struct {
    int64_t size[2], stride[2], padding[2];
    bool ceil_mode;
    dl_window window; /* made by setup */
    dl_maxima maxima;
    int winner; /* buffer: uint8 [batch][oh][ow][c] */
} pool;

#define CEIL_MODE                                                                                  \
    DL_BOOL_OPTION(                                                                                \
        "ceil_mode", pool, ceil_mode, "false",                                                     \
        "also a last window that goes over the edge, of which only the part inside counts; "       \
        "else what it would cover is left out (padding = \"same\" covers all anyway)")

static const dl_option options[] = {
    DL_PAIR_OPTION("size", pool, size, "2", 1, 1024, "size of the window"),
    DL_PAIR_OPTION(
        "stride", pool, stride, DL_NO_DEFAULT, 1, 1024,
        "pixels from one window to the next; left out: the size, so that windows do not overlap"),
    DL_PAIR_OR_WORD_OPTION(
        "padding", pool, padding, "valid", 0, 1023, dl_padding_words,
        "room around the image: same, valid (none), or a number of pixels; it never counts"),
    CEIL_MODE,
    DL_OPTIONS_END,
};

static const dl_option line_options[] = {
    DL_INT_OPTION("size", pool, size[1], "2", 1, 1024, "steps under the window"),
    DL_INT_OPTION(
        "stride", pool, stride[1], DL_NO_DEFAULT, 1, 1024,
        "steps from one window to the next; left out: the size, so that windows do not overlap"),
    DL_INT_OR_WORD_OPTION(
        "padding", pool, padding[1], "valid", 0, 1023, dl_padding_words,
        "room before and behind the sequence: same, valid (none), or a number of steps; it never "
        "counts"),
    CEIL_MODE,
    DL_OPTIONS_END,
};

static int place(dl_layer *layer, dl_shape image, dl_error *error) {
    pool *self = layer->self;
    return (self->ceil_mode ? dl_window_place_over : dl_window_place)(
        &self->window, image, self->size, self->stride, self->padding, layer->where, error);
}

static int setup(dl_layer *layer, dl_error *error) {
    pool *self = layer->self;
    dl_window *w = &self->window;
    for (int axis = 0; axis < 2; axis++)
        if (!self->stride[axis])
            self->stride[axis] = self->size[axis];
    if (place(layer, layer->in[0].shape, error))
        return -1;
    layer->out.shape = dl_shape3(w->out_height, w->out_width, w->channels);
    layer->needs_input = layer->needs_output = false;
    return 0;
}

/* x[batch][steps][c]: the options have filled the second of each pair. */
static int setup_line(dl_layer *layer, dl_error *error) {
    pool *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    char shape[48];
    if (in.rank != 2)
        return dl_fail(error, DL_USAGE, "%s: needs a sequence (steps x channels), not %s",
                       layer->where, dl_shape_text(shape, in));
    if (!self->stride[1])
        self->stride[1] = self->size[1];
    int64_t room = in.dim[0] + (self->padding[1] > 0 ? 2 * self->padding[1] : 0) +
                   (self->ceil_mode ? self->stride[1] - 1 : 0);
    if (self->padding[1] != DL_PAD_SAME && self->size[1] > room)
        return dl_fail(error, DL_USAGE,
                       "%s: a window of %lld steps does not fit into its input of %s", layer->where,
                       (long long)self->size[1], dl_shape_text(shape, in));
    self->size[0] = self->stride[0] = 1;
    self->padding[0] = DL_PAD_VALID;
    if (place(layer, dl_shape3(1, in.dim[0], in.dim[1]), error))
        return -1;
    layer->out.shape = (dl_shape){2, {self->window.out_width, in.dim[1], 1, 1}};
    layer->needs_input = layer->needs_output = false;
    return 0;
}

/* Room for the places of the maxima. */
static int add_winners(dl_layer *layer, dl_error *error) {
    pool *self = layer->self;
    if (self->size[0] * self->size[1] > 256)
        return dl_fail(error, DL_USAGE,
                       "%s: a %lldx%lld %s is too large (at most 256 places in all)", layer->where,
                       (long long)self->size[0], (long long)self->size[1], layer->type->kind.name);
    self->winner =
        dl_layer_add_buffer(layer, DL_SAVED, layer->max_batch * dl_shape_size(layer->out.shape));
    self->maxima = (dl_maxima){&self->window, layer->in[0].shape, &layer->buffers[self->winner]};
    layer->out.maxima = &self->maxima;
    return 0;
}

static int setup_max(dl_layer *layer, dl_error *error) {
    return setup(layer, error) ? -1 : add_winners(layer, error);
}

static int setup_max_line(dl_layer *layer, dl_error *error) {
    return setup_line(layer, error) ? -1 : add_winners(layer, error);
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

const dl_layer_type dl_layer_max_pool = {
    .kind = {"max_pool", "the largest value under a window, a channel at a time", sizeof(pool),
             options},
    .setup = setup_max,
    .forward = forward_max,
    .backward = backward_max,
};

const dl_layer_type dl_layer_avg_pool = {
    .kind = {"avg_pool", "the mean under a window, a channel at a time", sizeof(pool), options},
    .setup = setup,
    .forward = forward_avg,
    .backward = backward_avg,
};

const dl_layer_type dl_layer_max_pool1d = {
    .kind = {"max_pool1d", "the largest value under a window along a sequence, a channel at a time",
             sizeof(pool), line_options},
    .setup = setup_max_line,
    .forward = forward_max,
    .backward = backward_max,
};

const dl_layer_type dl_layer_avg_pool1d = {
    .kind = {"avg_pool1d", "the mean under a window along a sequence, a channel at a time",
             sizeof(pool), line_options},
    .setup = setup_line,
    .forward = forward_avg,
    .backward = backward_avg,
};
