/* SPDX-License-Identifier: MIT */
/* Local response normalization: each value is divided by how strong its neighbours among the
   channels are, at the same place. Krizhevsky, Sutskever and Hinton, "ImageNet classification with
   deep convolutional neural networks", NIPS 2012.
     y[c] = x[c] / d[c]^beta,  d[c] = k + alpha / size · (the sum of x[i]^2 over the channels i from
     c - size / 2 to c + (size - 1) / 2 that there are)
   as in PyTorch; the paper's alpha is this one divided by size. x, y and d: [batch][…][channels].
 */
#include "layers/layer.h"
#include "math/local_response.h"

typedef struct {
    int64_t size;
    double alpha, beta, k;
    int saved; /* buffer: d [batch][…][channels] */
} local_response_norm;

static const dl_option options[] = {
    DL_INT_OPTION("size", local_response_norm, size, "5", 1, 1024,
                  "neighbouring channels that are looked at, itself included"),
    DL_FLOAT_OPTION("alpha", local_response_norm, alpha, "1e-4", 0, 1000,
                    "weight of the mean square of the neighbours; AlexNet's 1e-4 is 5e-4 here, "
                    "since there it is "
                    "not divided by the size"),
    DL_FLOAT_OPTION("beta", local_response_norm, beta, "0.75", 0, 10,
                    "the power that the sum is raised to; 0.75 is the fastest"),
    DL_FLOAT_OPTION("k", local_response_norm, k, "1", 1e-3, 1000,
                    "added to the sum: keeps the division finite; 2 in AlexNet"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    local_response_norm *self = layer->self;
    (void)error;
    layer->out.shape = layer->in[0].shape;
    layer->needs_output = false;
    self->saved = dl_layer_add_buffer(layer, DL_SAVED,
                                      (int64_t)sizeof(float) * layer->max_batch *
                                          dl_shape_size(layer->out.shape));
    return 0;
}

static dl_local_response plan_of(const dl_layer *layer) {
    const local_response_norm *self = layer->self;
    return (dl_local_response){dl_shape_channels(layer->out.shape), self->size, self->alpha,
                               self->beta, self->k};
}

static int64_t rows_of(const dl_layer *layer, const dl_pass *pass) {
    return pass->batch * dl_shape_size(layer->out.shape) / dl_shape_channels(layer->out.shape);
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const local_response_norm *self = layer->self;
    const dl_local_response plan = plan_of(layer);
    dl_local_response_forward(&plan, rows_of(layer, pass), layer->in[0].value, layer->out.value,
                              layer->buffers[self->saved].memory);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const local_response_norm *self = layer->self;
    const dl_local_response plan = plan_of(layer);
    if (layer->in[0].grad)
        dl_local_response_backward(&plan, rows_of(layer, pass), layer->in[0].value,
                                   layer->buffers[self->saved].memory, layer->out.grad,
                                   layer->in[0].grad);
}

const dl_layer_type dl_layer_local_response_norm = {
    .kind = {"local_response_norm",
             "divides each value by the strength of its neighbouring channels, as AlexNet does; "
             "newer nets have batch_norm instead",
             sizeof(local_response_norm), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
