/* SPDX-License-Identifier: MIT */
/* Shake-Shake: mixes K inputs x_k of one shape,
     training  y = sum of a_k x_k,  dx_k = b_k dy    test  y = sum of x_k / K,  dx_k = dy / K
   where a and b are two independent draws, uniform over all mixtures (numbers from 0 to 1 that sum
   to 1). So b dy is deliberately not the gradient of y. Gastaldi, "Shake-Shake regularization",
   2017. Nothing is stored. x_k, y: [batch][…]. */
#include <math.h>

#include "layers/layer.h"

enum { SMALL = 1 << 14 };
enum { PER_SAMPLE, PER_BATCH };
static const char *const per_choices[] = {"sample", "batch", NULL};

typedef struct {
    int per;
} shake;

static const dl_option options[] = {
    DL_CHOICE_OPTION("per", shake, per, "sample", per_choices,
                     "\"sample\": each sample has its own random shares, which works best; "
                     "\"batch\": all samples of a batch share them"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    if (layer->input_count < 2)
        return dl_fail(error, DL_USAGE, "%s: shake needs at least 2 inputs, not %d", layer->where,
                       layer->input_count);
    if (dl_layer_check_same_shapes(layer, "mix", error))
        return -1;
    layer->out.shape = layer->in[0].shape;
    layer->varies = true;
    layer->needs_input = layer->needs_output = false;
    return 0;
}

/* share[inputs] = the mixture of sample n. Exponential numbers divided by their sum are uniform
   over all mixtures. */
static void draw_mixture(const dl_layer *layer, const dl_pass *pass, int n, bool backward,
                         float share[DL_MAX_INPUTS]) {
    const shake *self = layer->self;
    int inputs = layer->input_count;
    if (!pass->training) {
        for (int k = 0; k < inputs; k++)
            share[k] = 1.0f / (float)inputs;
        return;
    }
    dl_draw draw = dl_layer_draw(layer, DL_FOR_DROPOUT, pass);
    int64_t index = 2 * (int64_t)(self->per == PER_BATCH ? 0 : n) + backward;
    dl_random_uniform(&draw, index * DL_MAX_INPUTS, inputs, share);
    double sum = 0, exponential[DL_MAX_INPUTS];
    for (int k = 0; k < inputs; k++) {
        exponential[k] = -log1p(-((double)share[k] + 0x1p-25)); /* never 0 */
        sum += exponential[k];
    }
    for (int k = 0; k < inputs; k++)
        share[k] = (float)(exponential[k] / sum);
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    int64_t size = dl_shape_size(layer->out.shape);
#pragma omp parallel for schedule(static) if (pass->batch * size >= SMALL)
    for (int n = 0; n < pass->batch; n++) {
        float share[DL_MAX_INPUTS], *y = layer->out.value + n * size;
        draw_mixture(layer, pass, n, false, share);
        const float *a = layer->in[0].value + n * size, *b = layer->in[1].value + n * size;
#pragma omp simd
        for (int64_t i = 0; i < size; i++)
            y[i] = share[0] * a[i] + share[1] * b[i];
        for (int k = 2; k < layer->input_count; k++) {
            const float *x = layer->in[k].value + n * size;
#pragma omp simd
            for (int64_t i = 0; i < size; i++)
                y[i] += share[k] * x[i];
        }
    }
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    int64_t size = dl_shape_size(layer->out.shape);
#pragma omp parallel for schedule(static) if (pass->batch * size >= SMALL)
    for (int n = 0; n < pass->batch; n++) {
        float share[DL_MAX_INPUTS];
        const float *dy = layer->out.grad + n * size;
        draw_mixture(layer, pass, n, true, share);
        for (int k = 0; k < layer->input_count; k++)
            if (layer->in[k].grad) {
                float *dx = layer->in[k].grad + n * size;
#pragma omp simd
                for (int64_t i = 0; i < size; i++)
                    dx[i] = share[k] * dy[i];
            }
    }
}

const dl_layer_type dl_layer_shake = {
    .kind = {"shake",
             "Shake-Shake regularization: in training mixes the outputs of several layers in "
             "random proportions, with different ones in the backward pass, and averages them at "
             "test; reduces overfitting of parallel branches",
             sizeof(shake), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .max_inputs = DL_MAX_INPUTS,
    .inexact_gradient = true,
};
