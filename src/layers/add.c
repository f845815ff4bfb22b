/* SPDX-License-Identifier: MIT */
/* Sum of the inputs, element by element: y = f(x1 + x2 + …). The gradient of each is f'(y) dy. */
#include "layers/layer.h"
#include "math/vector.h"

typedef struct {
    dl_activation activation;
} add;

static const dl_option options[] = {
    DL_ACTIVATION_OPTIONS(add, activation, "linear"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    if (dl_layer_check_same_shapes(layer, "add", error))
        return -1;
    layer->out.shape = layer->in[0].shape;
    layer->needs_input = false;
    dl_layer_set_activation(layer, &((const add *)layer->self)->activation);
    layer->gradient_in_place = true;
    return 0;
}

/* Two inputs (a residual connection) are added and activated in one pass. */
static bool is_plain(const dl_layer *layer) {
    return layer->input_count == 2 && !dl_activation_of(&layer->fused)->over_channels;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    int64_t channels = dl_shape_channels(layer->out.shape);
    int64_t count = dl_layer_elements(layer, pass);
    float *y = layer->out.value;
    if (is_plain(layer)) {
        dl_activate_sum(&layer->fused, count, layer->in[0].value, layer->in[1].value, y);
        return;
    }
    dl_copy(y, layer->in[0].value, count);
    for (int k = 1; k < layer->input_count; k++)
        dl_add(y, layer->in[k].value, count);
    dl_activate(&layer->fused, count / channels, channels, NULL, y, y);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    int64_t channels = dl_shape_channels(layer->out.shape);
    int64_t count = dl_layer_elements(layer, pass);
    float *dy = layer->out.grad;
    if (is_plain(layer) && layer->in[1].grad) {
        dl_activate_backward_both(&layer->fused, count, layer->out.value, dy, layer->in[1].grad);
        return;
    }
    dl_activate_backward(&layer->fused, count / channels, channels, layer->out.value, dy, dy, NULL);
    for (int k = 1; k < layer->input_count; k++)
        if (layer->in[k].grad)
            dl_copy(layer->in[k].grad, dy, count);
}

const dl_layer_type dl_layer_add = {
    .kind = {"add",
             "adds the outputs of several layers of the same shape, as in residual networks: "
             "inputs = (\"a\", \"b\")",
             sizeof(add), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .max_inputs = DL_MAX_INPUTS,
};
