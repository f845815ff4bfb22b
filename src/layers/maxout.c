/* SPDX-License-Identifier: MIT */
/* Maxout: each unit is the maximum of k weighted sums, a learned convex function.
     z[p][u] = sum over i of x[i] W[i][p][u] + b[p][u],  y[u] = max over p of z[p][u]
   x[batch][in], W[in][pieces · units], b[pieces · units], y[batch][units]. Backward: dz[p][u] =
   dy[u] at the maximum, else 0; then as dense:
     dx = dz W',  dW += x' dz,  db += sum of dz over the batch
   Goodfellow et al., "Maxout networks", ICML 2013. */
#include "layers/weights.h"
#include "math/gemm.h"
#include "math/maximum.h"

typedef struct {
    int64_t units, pieces;
    dl_weights weights; /* with a linear activation */
    int winner;         /* buffer: p of each maximum, uint8 [batch][units] */
    int pre;            /* buffer: z, or dz, [batch][pieces][units] */
} maxout;

static const dl_option options[] = {
    DL_INT_OPTION("units", maxout, units, DL_REQUIRED, 1, 1 << 24, "number of outputs"),
    DL_INT_OPTION("pieces", maxout, pieces, "2", 1, 256,
                  "number of weighted sums per output, each with weights of its own"),
    DL_WEIGHT_OPTIONS(maxout, weights),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    maxout *self = layer->self;
    int64_t inputs = dl_shape_size(layer->in[0].shape), sums = self->units * self->pieces;
    if (inputs > INT32_MAX || sums > INT32_MAX || inputs * sums > (int64_t)1 << 33)
        return dl_fail(
            error, DL_USAGE, "%s: %lld inputs and %lld units of %lld pieces have too many weights",
            layer->where, (long long)inputs, (long long)self->units, (long long)self->pieces);
    dl_shape shape = {2, {(int)inputs, (int)sums, 1, 1}};
    if (dl_weights_declare(layer, &self->weights, shape, inputs, sums, (int)sums, error))
        return -1;
    layer->out.shape = dl_shape1((int)self->units);
    layer->needs_output = false;
    layer->operations = 2 * inputs * sums;
    self->winner = dl_layer_add_buffer(layer, DL_SAVED, layer->max_batch * self->units);
    self->pre = dl_layer_add_floats(layer, DL_SCRATCH, layer->max_batch * sums);
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const maxout *self = layer->self;
    float *z = layer->buffers[self->pre].memory;
    dl_gemm_activate(pass->batch, self->units * self->pieces, layer->params[0].shape.dim[0],
                     layer->in[0].value, layer->params[0].value, dl_weights_bias(layer),
                     &self->weights.activation, NULL, z);
    dl_maximum_forward(pass->batch, self->pieces, self->units, z, layer->out.value,
                       layer->buffers[self->winner].memory);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const maxout *self = layer->self;
    int64_t inputs = layer->params[0].shape.dim[0], sums = self->units * self->pieces;
    float *dz = layer->buffers[self->pre].memory;
    dl_maximum_backward(pass->batch, self->pieces, self->units, layer->out.grad,
                        layer->buffers[self->winner].memory, dz);
    dl_activate_backward(&self->weights.activation, pass->batch, sums, NULL, dz, dz,
                         dl_weights_bias_grad(layer));
    dl_gemm(true, false, inputs, sums, pass->batch, layer->in[0].value, dz, layer->params[0].beta,
            layer->params[0].grad);
    if (layer->in[0].grad)
        dl_gemm(false, true, pass->batch, inputs, sums, dz, layer->params[0].value, 0,
                layer->in[0].grad);
}

const dl_layer_type dl_layer_maxout = {
    .kind = {"maxout",
             "fully connected layer whose outputs are the maximum of several weighted sums; needs "
             "no activation, and works well with dropout",
             sizeof(maxout), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};
