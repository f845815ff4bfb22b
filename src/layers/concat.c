/* SPDX-License-Identifier: MIT */
/* Concatenates its inputs along the channels: y[…][c1 + c2 + …]. The other dimensions must be
 * equal. */
#include "layers/layer.h"
#include "math/vector.h"

typedef struct {
    char unused;
} concat;

static const dl_option options[] = {DL_OPTIONS_END};

static int setup(dl_layer *layer, dl_error *error) {
    char first[48], other[48];
    dl_shape *out = &layer->out.shape;
    *out = layer->in[0].shape;
    int64_t channels = dl_shape_channels(*out);
    for (int k = 1; k < layer->input_count; k++) {
        const dl_shape *in = &layer->in[k].shape;
        bool equal = in->rank == out->rank;
        for (int i = 0; equal && i + 1 < in->rank; i++)
            equal = in->dim[i] == out->dim[i];
        channels += dl_shape_channels(*in);
        if (!equal || channels > INT32_MAX)
            return dl_fail(error, DL_USAGE,
                           "%s: cannot concatenate the channels of shapes %s and %s", layer->where,
                           dl_shape_text(first, layer->in[0].shape), dl_shape_text(other, *in));
    }
    out->dim[out->rank - 1] = (int)channels;
    layer->needs_input = layer->needs_output = false;
    return 0;
}

/* Copies input k to channels [first, …) of the output, or their gradient back. */
static void copy(const dl_layer *layer, const dl_pass *pass, int k, int first, bool back) {
    int64_t channels = dl_shape_channels(layer->out.shape);
    int64_t own = dl_shape_channels(layer->in[k].shape);
    int64_t rows = pass->batch * dl_shape_size(layer->out.shape) / channels;
    const dl_tensor *in = &layer->in[k];
#pragma omp parallel for schedule(static) if (rows * own >= 1 << 14)
    for (int64_t i = 0; i < rows; i++)
        if (back)
            dl_copy(in->grad + i * own, layer->out.grad + i * channels + first, own);
        else
            dl_copy(layer->out.value + i * channels + first, in->value + i * own, own);
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    int first = 0;
    for (int k = 0; k < layer->input_count; k++) {
        copy(layer, pass, k, first, false);
        first += dl_shape_channels(layer->in[k].shape);
    }
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    int first = 0;
    for (int k = 0; k < layer->input_count; k++) {
        if (layer->in[k].grad)
            copy(layer, pass, k, first, true);
        first += dl_shape_channels(layer->in[k].shape);
    }
}

const dl_layer_type dl_layer_concat = {
    .kind =
        {"concat",
         "concatenates the outputs of several layers along the channels: inputs = (\"a\", \"b\")",
         sizeof(concat), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .max_inputs = DL_MAX_INPUTS,
};
