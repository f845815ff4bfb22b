/* SPDX-License-Identifier: MIT */
/* Combine several inputs of the same shape, element by element:
     multiply  y = x1 x2 …            dx_k = dy times the product of the others
     average   y = (x1 + x2 + …) / n  dx_k = dy / n
     maximum   y = max(x1, x2, …)     dy goes to the maximum, in equal shares if there are several
   (`add` has its own file: it is fused with its activation.) */
#include "layers/layer.h"

typedef struct {
    char unused;
} merge;

static const dl_option options[] = {DL_OPTIONS_END};

enum { SMALL = 1 << 14 };

static int setup_merge(dl_layer *layer, const char *verb, dl_error *error) {
    if (dl_layer_check_same_shapes(layer, verb, error))
        return -1;
    layer->out.shape = layer->in[0].shape;
    return 0;
}

/* ---- multiply ---- */

static int setup_multiply(dl_layer *layer, dl_error *error) {
    layer->needs_output = false; /* y / x_k fails for x_k = 0 */
    return setup_merge(layer, "multiply", error);
}

/* Product of element i of all inputs except `without` (-1: of all). */
static float product(const dl_layer *layer, int64_t i, int without) {
    float value = 1;
    for (int k = 0; k < layer->input_count; k++)
        if (k != without)
            value *= layer->in[k].value[i];
    return value;
}

static void forward_multiply(dl_layer *layer, const dl_pass *pass) {
    int64_t count = dl_layer_elements(layer, pass);
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int64_t i = 0; i < count; i++)
        layer->out.value[i] = product(layer, i, -1);
}

static void backward_multiply(dl_layer *layer, const dl_pass *pass) {
    int64_t count = dl_layer_elements(layer, pass);
    for (int k = 0; k < layer->input_count; k++)
        if (layer->in[k].grad) {
#pragma omp parallel for schedule(static) if (count >= SMALL)
            for (int64_t i = 0; i < count; i++)
                layer->in[k].grad[i] = layer->out.grad[i] * product(layer, i, k);
        }
}

/* ---- average ---- */

static int setup_average(dl_layer *layer, dl_error *error) {
    layer->needs_input = layer->needs_output = false;
    return setup_merge(layer, "average", error);
}

static void forward_average(dl_layer *layer, const dl_pass *pass) {
    int64_t count = dl_layer_elements(layer, pass);
    const float share = 1.0f / (float)layer->input_count;
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int64_t i = 0; i < count; i++) {
        float sum = 0;
        for (int k = 0; k < layer->input_count; k++)
            sum += layer->in[k].value[i];
        layer->out.value[i] = share * sum;
    }
}

static void backward_average(dl_layer *layer, const dl_pass *pass) {
    int64_t count = dl_layer_elements(layer, pass);
    const float share = 1.0f / (float)layer->input_count;
    for (int k = 0; k < layer->input_count; k++)
        if (layer->in[k].grad) {
#pragma omp parallel for simd schedule(static) if (count >= SMALL)
            for (int64_t i = 0; i < count; i++)
                layer->in[k].grad[i] = share * layer->out.grad[i];
        }
}

/* ---- maximum ---- */

static int setup_maximum(dl_layer *layer, dl_error *error) {
    return setup_merge(layer, "take the maximum of", error);
}

static void forward_maximum(dl_layer *layer, const dl_pass *pass) {
    int64_t count = dl_layer_elements(layer, pass);
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int64_t i = 0; i < count; i++) {
        float most = layer->in[0].value[i];
        for (int k = 1; k < layer->input_count; k++) /* NaN counts as the maximum */
            most = layer->in[k].value[i] <= most ? most : layer->in[k].value[i];
        layer->out.value[i] = most;
    }
}

static void backward_maximum(dl_layer *layer, const dl_pass *pass) {
    int64_t count = dl_layer_elements(layer, pass);
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int64_t i = 0; i < count; i++) {
        int winners = 0;
        for (int k = 0; k < layer->input_count; k++)
            winners += layer->in[k].value[i] == layer->out.value[i];
        float share = winners ? layer->out.grad[i] / (float)winners : 0;
        for (int k = 0; k < layer->input_count; k++)
            if (layer->in[k].grad)
                layer->in[k].grad[i] = layer->in[k].value[i] == layer->out.value[i] ? share : 0;
    }
}

const dl_layer_type dl_layer_multiply = {
    .kind = {"multiply",
             "multiplies the outputs of several layers of the same shape, element by element, as "
             "in gates",
             sizeof(merge), options},
    .setup = setup_multiply,
    .forward = forward_multiply,
    .backward = backward_multiply,
    .max_inputs = DL_MAX_INPUTS,
};

const dl_layer_type dl_layer_average = {
    .kind = {"average",
             "averages the outputs of several layers of the same shape, element by element",
             sizeof(merge), options},
    .setup = setup_average,
    .forward = forward_average,
    .backward = backward_average,
    .max_inputs = DL_MAX_INPUTS,
};

const dl_layer_type dl_layer_maximum = {
    .kind = {"maximum",
             "the maximum of the outputs of several layers of the same shape, element by element",
             sizeof(merge), options},
    .setup = setup_maximum,
    .forward = forward_maximum,
    .backward = backward_maximum,
    .max_inputs = DL_MAX_INPUTS,
};
