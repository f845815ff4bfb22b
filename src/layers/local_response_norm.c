/* SPDX-License-Identifier: MIT */
/* Local response normalization: divides each value by the activity of neighboring channels at the
   same position. Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional
   neural networks", NIPS 2012.
     y[c] = x[c] / d[c]^beta,  d[c] = k + alpha / size · (sum of x[i]^2 over the existing channels i
     from c - size / 2 to c + (size - 1) / 2)
   as in PyTorch; the paper does not divide alpha by size. x, y and d: [batch][…][channels]. */
#include "layers/layer.h"
#include "math/local_response.h"

typedef struct {
    int64_t size;
    double alpha, beta, k;
    int saved; /* buffer: d [batch][…][channels] */
} local_response_norm;

static const dl_option options[] = {
    DL_INT_OPTION("size", local_response_norm, size, "5", 1, 1024,
                  "number of neighboring channels, including the channel itself"),
    DL_FLOAT_OPTION("alpha", local_response_norm, alpha, "1e-4", 0, 1000,
                    "weight of the mean square of the neighbors. AlexNet does not divide by size: "
                    "its 1e-4 is 5e-4 here"),
    DL_FLOAT_OPTION("beta", local_response_norm, beta, "0.75", 0, 10,
                    "exponent; 0.75 is the fastest"),
    DL_FLOAT_OPTION("k", local_response_norm, k, "1", 1e-3, 1000,
                    "added to the weighted mean square to avoid division by zero; 2 in AlexNet"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    local_response_norm *self = layer->self;
    (void)error;
    layer->out.shape = layer->in[0].shape;
    layer->needs_output = false;
    self->saved =
        dl_layer_add_floats(layer, DL_SAVED, layer->max_batch * dl_shape_size(layer->out.shape));
    return 0;
}

static dl_local_response plan_of(const dl_layer *layer) {
    const local_response_norm *self = layer->self;
    return (dl_local_response){dl_shape_channels(layer->out.shape), self->size, self->alpha,
                               self->beta, self->k};
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const local_response_norm *self = layer->self;
    const dl_local_response plan = plan_of(layer);
    dl_local_response_forward(&plan, dl_layer_rows(layer, pass), layer->in[0].value,
                              layer->out.value, layer->buffers[self->saved].memory);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const local_response_norm *self = layer->self;
    const dl_local_response plan = plan_of(layer);
    if (layer->in[0].grad)
        dl_local_response_backward(&plan, dl_layer_rows(layer, pass), layer->in[0].value,
                                   layer->buffers[self->saved].memory, layer->out.grad,
                                   layer->in[0].grad);
}

const dl_layer_type dl_layer_local_response_norm = {
    .kind = {"local_response_norm",
             "local response normalization: divides each value by the activity of neighboring "
             "channels, as in AlexNet; newer networks use batch_norm",
             sizeof(local_response_norm), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
