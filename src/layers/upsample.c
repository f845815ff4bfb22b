/* SPDX-License-Identifier: MIT */
/* Enlarges an image by whole factors: each output pixel is the nearest input pixel, or interpolated
   from 2x2 (bilinear) or 4x4 (bicubic) pixels. Unlike a transposed convolution it leaves no
   checkerboard pattern: Odena et al., "Deconvolution and checkerboard artifacts", 2016.
   x[batch][h][w][c], y[batch][h * size][w * size][c]. */
#include "layers/layer.h"
#include "math/resample.h"

typedef struct {
    int64_t size[2];
    int method;
    dl_resample resample; /* set by setup */
    int scratch;
} upsample;

static const dl_option options[] = {
    DL_PAIR_OPTION("size", upsample, size, "2", 1, 1024, "factors of height and width"),
    DL_CHOICE_OPTION("method", upsample, method, "nearest", dl_resample_names,
                     "\"nearest\" repeats pixels and is the fastest; \"bilinear\" is smooth; "
                     "\"bicubic\" is smooth and sharper, and can exceed the range of its inputs"),
    DL_OPTIONS_END,
};

static int setup(dl_layer *layer, dl_error *error) {
    upsample *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    char shape[48];
    if (dl_layer_check_image(layer, in, error))
        return -1;
    for (int axis = 0; axis < 2; axis++)
        if (in.dim[axis] * self->size[axis] > 1 << 24)
            return dl_fail(error, DL_USAGE,
                           "%s: its input of %s is too large to enlarge by %lldx%lld", layer->where,
                           dl_shape_text(shape, in), (long long)self->size[0],
                           (long long)self->size[1]);
    layer->out.shape =
        dl_shape3(in.dim[0] * (int)self->size[0], in.dim[1] * (int)self->size[1], in.dim[2]);
    self->resample =
        dl_resample_plan(in, self->size, (dl_resample_method)self->method, layer->arena);
    self->scratch =
        dl_layer_add_floats(layer, DL_SCRATCH, (int64_t)layer->max_batch * in.dim[1] * in.dim[2]);
    layer->needs_input = layer->needs_output = false;
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const upsample *self = layer->self;
    dl_resample_forward(&self->resample, pass->batch, layer->in[0].value, layer->out.value,
                        layer->buffers[self->scratch].memory);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const upsample *self = layer->self;
    if (layer->in[0].grad)
        dl_resample_backward(&self->resample, pass->batch, layer->out.grad, layer->in[0].grad,
                             layer->buffers[self->scratch].memory);
}

static dl_extent reach(const dl_layer *layer, int input, int axis, int out) {
    const dl_resample *r = &((const upsample *)layer->self)->resample;
    const dl_taps *taps = axis ? &r->column : &r->row;
    int low = layer->in[input].shape.dim[axis] - 1, high = 0;
    for (int k = out * taps->taps; k < (out + 1) * taps->taps; k++)
        if (taps->weight[k] != 0) {
            low = taps->index[k] < low ? taps->index[k] : low;
            high = taps->index[k] > high ? taps->index[k] : high;
        }
    return (dl_extent){low, high, 1};
}

const dl_layer_type dl_layer_upsample = {
    .kind = {"upsample",
             "enlarges an image by repeating pixels or by interpolation; has no weights",
             sizeof(upsample), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .reach = reach,
};
