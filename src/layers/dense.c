/* SPDX-License-Identifier: MIT */
/* Dense (fully connected) layer: y = f(x W + b).
   x[batch][in], W[in][out], b[out], y[batch][out]. Images are flattened; sequences are mapped step
   by step: x[batch][T][in], y[batch][T][out].
   Backward, with dz = f'(y) dy:  dx = dz W',  dW += x' dz,  db += sum of dz over the rows.
   With the transposed weight V[out][in] of another dense layer (tied autoencoder: Vincent et al.,
   "Extracting and composing robust features with denoising autoencoders", ICML 2008):
     y = f(x V' + b),  dx = dz V,  dV += dz' x. */
#include "layers/weights.h"
#include "math/gemm.h"

typedef struct {
    int64_t units;
    dl_weights weights;
    dl_frozen *frozen; /* prepacked weights, for inference */
} dense;

static const dl_option options[] = {
    DL_INT_OPTION("units", dense, units, DL_REQUIRED, 1, 1 << 24, "number of outputs"),
    DL_WEIGHTS_OPTIONS(dense, weights),
    DL_ORTHOGONAL_OPTION(dense, weights.orthogonal, "the weight"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    dense *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    bool sequence = in.rank == 2;
    int64_t inputs = sequence ? in.dim[1] : dl_shape_size(in);
    if (inputs > INT32_MAX || inputs * self->units > (int64_t)1 << 33)
        return dl_fail(error, DL_USAGE, "%s: %lld inputs and %lld units have too many weights",
                       layer->where, (long long)inputs, (long long)self->units);
    if (dl_weights_check_orthogonal(layer, self->weights.orthogonal, error))
        return -1;
    dl_shape shape = {2, {(int)inputs, (int)self->units, 1, 1}};
    if (layer->transposed)
        shape = dl_shape2((int)self->units, (int)inputs);
    if (dl_weights_declare(layer, &self->weights, shape, inputs, self->units, (int)self->units,
                           error))
        return -1;
    layer->out.shape =
        sequence ? dl_shape2(in.dim[0], (int)self->units) : dl_shape1((int)self->units);
    dl_layer_set_activation(layer, &self->weights.activation);
    layer->ends_in_bias = dl_weights_end_in_bias(&self->weights);
    layer->operations = 2 * inputs * dl_shape_size(layer->out.shape);
    if (!layer->training && !layer->transposed)
        self->frozen = dl_frozen_new(self->units, inputs, self->weights.bias, &layer->fused);
    return 0;
}

static int64_t inputs_of(const dl_layer *layer) {
    return layer->params[0].shape.dim[layer->transposed ? 1 : 0];
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const dense *self = layer->self;
    int64_t inputs = inputs_of(layer), count = dl_layer_rows(layer, pass);
    if (layer->transposed) {
        dl_gemm(false, true, count, self->units, inputs, layer->in[0].value, layer->params[0].value,
                0, layer->out.value);
        dl_activate(&layer->fused, count, self->units, dl_weights_bias(layer), layer->out.value,
                    layer->out.value);
        return;
    }
    dl_gemm_activate(count, self->units, inputs, layer->in[0].value, layer->params[0].value,
                     dl_weights_bias(layer), &layer->fused, self->frozen, layer->out.value);
}

/* dV and dx from dz, for a weight V[out][in]. */
static void backward_transposed(dl_layer *layer, int64_t count) {
    const dense *self = layer->self;
    const dl_param *weight = &layer->params[0];
    dl_gemm(true, false, self->units, inputs_of(layer), count, layer->out.grad, layer->in[0].value,
            weight->beta, weight->grad);
    if (layer->in[0].grad)
        dl_gemm(false, false, count, inputs_of(layer), self->units, layer->out.grad, weight->value,
                0, layer->in[0].grad);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const dense *self = layer->self;
    int64_t inputs = inputs_of(layer), count = dl_layer_rows(layer, pass);
    dl_activate_backward(&layer->fused, count, self->units, layer->out.value, layer->out.grad,
                         layer->out.grad, dl_weights_bias_grad(layer));
    if (layer->transposed) {
        backward_transposed(layer, count);
        return;
    }
    dl_gemm(true, false, inputs, self->units, count, layer->in[0].value, layer->out.grad,
            layer->params[0].beta, layer->params[0].grad);
    if (layer->in[0].grad)
        dl_gemm(false, true, count, inputs, self->units, layer->out.grad, layer->params[0].value, 0,
                layer->in[0].grad);
}

static void close_dense(dl_layer *layer) {
    const dense *self = layer->self;
    dl_frozen_free(self->frozen);
}

const dl_layer_type dl_layer_dense = {
    .kind = {"dense",
             "fully connected layer: each output is a weighted sum of all inputs plus a bias. "
             "Images are flattened; sequences are mapped step by step",
             sizeof(dense), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .close = close_dense,
    .can_transpose = true,
};
