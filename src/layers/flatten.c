/* SPDX-License-Identifier: MIT */
/* Flatten: the input as one row. Nothing is copied. */
#include "layers/layer.h"

typedef struct {
    char unused;
} flatten;

static const dl_option options[] = {DL_OPTIONS_END};

static int setup(dl_layer *layer, dl_error *error) {
    int64_t size = dl_shape_size(layer->in[0].shape);
    if (size > INT32_MAX)
        return dl_fail(error, DL_USAGE, "%s: its input is too large to flatten", layer->where);
    layer->out.shape = dl_shape1((int)size);
    layer->is_view = true;
    return 0;
}

const dl_layer_type dl_layer_flatten = {
    .kind = {"flatten", "flattens its input into one row; dense does this itself", sizeof(flatten),
             options},
    .setup = setup,
};
