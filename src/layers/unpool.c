/* SPDX-License-Identifier: MIT */
/* Max unpooling: returns each value to the position of the maximum of its window, and sets the
   others to 0 (values at the same position, of overlapping windows, are added). Zeiler and Fergus,
   "Visualizing and understanding convolutional networks", ECCV 2014. x has the shape of the
   pooling's output, y that of its input. The gradient is gathered from the same positions. */
#include "layers/layer.h"
#include "math/pool.h"
#include "math/vector.h"

typedef struct {
    char unused;
} unpool;

static const dl_option options[] = {DL_OPTIONS_END};

static int setup(dl_layer *layer, dl_error *error) {
    const dl_tensor *in = layer->in;
    char first[48], second[48];
    if (layer->input_count < 2)
        return dl_fail(error, DL_USAGE,
                       "%s: unpool needs two inputs, the values and the max_pool to undo: "
                       "inputs = (\"a\", \"max_pool_1\")",
                       layer->where);
    if (!in[1].maxima)
        return dl_fail(error, DL_USAGE,
                       "%s: the second input of unpool, of %s, must be a max_pool, whose maxima "
                       "give the positions for the first one, of %s",
                       layer->where, dl_shape_text(second, in[1].shape),
                       dl_shape_text(first, in[0].shape));
    if (!dl_shape_equal(in[0].shape, in[1].shape))
        return dl_fail(error, DL_USAGE,
                       "%s: the first input of unpool, of %s, must have the shape of the second, "
                       "of %s",
                       layer->where, dl_shape_text(first, in[0].shape),
                       dl_shape_text(second, in[1].shape));
    layer->out.shape = in[1].maxima->from;
    layer->needs_input = layer->needs_output = false;
    layer->needs_maxima = true;
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const dl_maxima *maxima = layer->in[1].maxima;
    dl_max_pool_backward(maxima->window, pass->batch, layer->in[0].value, maxima->winner->memory,
                         layer->out.value);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const dl_maxima *maxima = layer->in[1].maxima;
    if (layer->in[1].grad) /* only its positions are used */
        dl_zero(layer->in[1].grad, pass->batch * dl_shape_size(layer->in[1].shape));
    if (layer->in[0].grad)
        dl_max_pool_gather(maxima->window, pass->batch, layer->out.grad, maxima->winner->memory,
                           layer->in[0].grad);
}

static dl_extent reach(const dl_layer *layer, int input, int axis, int out) {
    (void)input;
    return dl_window_reached(layer->in[1].maxima->window, axis, out);
}

const dl_layer_type dl_layer_unpool = {
    .kind = {"unpool",
             "max unpooling: returns each value to the position of the maximum in a max_pool, and "
             "sets the others to 0: inputs = (\"a\", \"max_pool_1\")",
             sizeof(unpool), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .reach = reach,
    .max_inputs = 2,
};
