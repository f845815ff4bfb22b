/* SPDX-License-Identifier: MIT */
/* Reshape: the same values, in the same order, in another shape. Nothing is copied. */
#include <math.h>

#include "layers/layer.h"

typedef struct {
    dl_numbers shape;
} reshape;

static const dl_option options[] = {
    DL_NUMBERS_OPTION(
        "shape", reshape, shape, DL_REQUIRED, 1, 1 << 30,
        "new shape of a sample: n for a row, (steps, channels) for a sequence, (height, width, "
        "channels) for an image; the number of values must stay the same"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    const dl_numbers *wanted = &((const reshape *)layer->self)->shape;
    const dl_shape in = layer->in[0].shape;
    char before[48], after[48];
    dl_shape out = {wanted->count, {1, 1, 1, 1}};
    if (wanted->count < 1 || wanted->count > DL_LARGEST_RANK)
        return dl_fail(error, DL_USAGE, "%s: a shape has 1 to %d dimensions, not %d", layer->where,
                       DL_LARGEST_RANK, wanted->count);
    double size = 1;
    for (int i = 0; i < wanted->count; i++) {
        if (wanted->items[i] != floor(wanted->items[i]))
            return dl_fail(error, DL_USAGE,
                           "%s: the dimensions of a shape are whole numbers, not %g", layer->where,
                           wanted->items[i]);
        out.dim[i] = (int)wanted->items[i];
        size *= out.dim[i];
    }
    if (size != (double)dl_shape_size(in))
        return dl_fail(error, DL_USAGE,
                       "%s: cannot reshape its input of %s (%lld values) to %s (%.0f values)",
                       layer->where, dl_shape_text(before, in), (long long)dl_shape_size(in),
                       dl_shape_text(after, out), size);
    layer->out.shape = out;
    layer->is_view = true;
    return 0;
}

const dl_layer_type dl_layer_reshape = {
    .kind = {"reshape",
             "gives its input another shape, such as an image or a sequence, without changing the "
             "order of the values",
             sizeof(reshape), options},
    .setup = setup,
};
