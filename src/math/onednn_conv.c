/* SPDX-License-Identifier: MIT */
#include "math/onednn.h"

#ifndef DL_ONEDNN

dl_onednn_conv *dl_onednn_conv_new(const dl_window *window, int filters, int batch, bool bias,
                                   bool relu, bool training, bool bf16) {
    (void)window, (void)filters, (void)batch, (void)bias, (void)relu, (void)training, (void)bf16;
    return NULL;
}

void dl_onednn_conv_free(dl_onednn_conv *conv) {
    (void)conv;
}

size_t dl_onednn_conv_scratch(const dl_onednn_conv *conv) {
    (void)conv;
    return 0;
}

bool dl_onednn_conv_forward(dl_onednn_conv *conv, int batch, const float *x, const float *weight,
                            const float *bias, float *y, void *scratch) {
    (void)conv, (void)batch, (void)x, (void)weight, (void)bias, (void)y, (void)scratch;
    return false;
}

bool dl_onednn_conv_backward_data(dl_onednn_conv *conv, int batch, const float *dy,
                                  const float *weight, float *dx, void *scratch) {
    (void)conv, (void)batch, (void)dy, (void)weight, (void)dx, (void)scratch;
    return false;
}

bool dl_onednn_conv_backward_weights(dl_onednn_conv *conv, int batch, const float *x,
                                     const float *dy, float beta, float *dweight, void *scratch) {
    (void)conv, (void)batch, (void)x, (void)dy, (void)beta, (void)dweight, (void)scratch;
    return false;
}

#else

#include <stdlib.h>

#include "base/memory.h"
#include "math/onednn_common.h"
#include "math/vector.h"

enum { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS, PASSES, MOST_BATCHES = 6 };

struct dl_onednn_conv {
    dl_window window;
    int filters;
    bool bias, relu, training, bf16;
    frozen_weights frozen; /* of a net that is not trained */
    size_t scratch;        /* for weights in a kernel's order */
    size_t narrow;         /* for x and y as bfloat16 */
    int batch_count;
    struct {
        int batch;
        ordered_operation pass[PASSES];
    } batches[MOST_BATCHES];
};

/* The descriptors of a convolution's tensors; weights in any order. Those of a pass that takes x or
   y as a factor are of the factors' type; its result is float. */
typedef struct {
    dnnl_memory_desc_t x, weight, plain, bias, y;
    dnnl_memory_desc_t x_factor, weight_factor, y_factor;
    dnnl_dims_t stride, dilation, before, after;
} conv_descs;

static conv_descs describe(const dl_onednn_conv *c, int batch) {
    const dl_window *w = &c->window;
    conv_descs d;
    dnnl_dims_t x = {batch, w->channels, w->height, w->width};
    dnnl_dims_t weight = {c->filters, w->channels, w->kernel[0], w->kernel[1]};
    dnnl_dims_t y = {batch, c->filters, w->out_height, w->out_width}, bias = {c->filters};
    int in[2] = {w->height, w->width}, out[2] = {w->out_height, w->out_width};
    d.x = onednn_desc(4, x, dnnl_nhwc);
    d.weight = onednn_desc(4, weight, dnnl_format_tag_any);
    dnnl_data_type_t type = c->bf16 ? dnnl_bf16 : dnnl_f32;
    d.x_factor = onednn_desc_of(type, 4, x, dnnl_nhwc);
    d.weight_factor = onednn_desc_of(type, 4, weight, dnnl_format_tag_any);
    d.y_factor = onednn_desc_of(type, 4, y, dnnl_nhwc);
    d.plain = onednn_desc(4, weight, dnnl_hwio);
    d.bias = onednn_desc(1, bias, dnnl_a);
    d.y = onednn_desc(4, y, dnnl_nhwc);
    for (int i = 0; i < 2; i++) {
        d.stride[i] = w->stride[i];
        d.dilation[i] = w->dilation[i] - 1;
        d.before[i] = w->before[i];
        d.after[i] = (out[i] - 1) * w->stride[i] + dl_window_extent(w, i) - in[i] - w->before[i];
    }
    return d;
}

static void free_descs(conv_descs *d) {
    onednn_free_desc(&d->x);
    onednn_free_desc(&d->weight);
    onednn_free_desc(&d->plain);
    onednn_free_desc(&d->bias);
    onednn_free_desc(&d->y);
    onednn_free_desc(&d->x_factor);
    onednn_free_desc(&d->weight_factor);
    onednn_free_desc(&d->y_factor);
}

static dnnl_primitive_desc_t forward_desc(const dl_onednn_conv *c, const conv_descs *d) {
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attributes = onednn_attributes(c->relu ? onednn_append_relu : NULL);
    desc_ref bias = c->bias ? REF(d->bias) : NULL;
    dnnl_prop_kind_t kind = c->training ? dnnl_forward_training : dnnl_forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    onednn_good(dnnl_convolution_forward_primitive_desc_create(
        &desc, onednn_engine, kind, dnnl_convolution_direct, d->x_factor, d->weight_factor, bias,
        d->y, d->stride, d->dilation, d->before, d->after, attributes));
#else
    dnnl_convolution_desc_t wanted;
    if (onednn_good(dnnl_dilated_convolution_forward_desc_init(
            &wanted, kind, dnnl_convolution_direct, &d->x_factor, &d->weight_factor, bias, &d->y,
            d->stride, d->dilation, d->before, d->after)))
        onednn_good(dnnl_primitive_desc_create(&desc, &wanted, attributes, onednn_engine, NULL));
#endif
    dnnl_primitive_attr_destroy(attributes);
    return desc;
}

static dnnl_primitive_desc_t backward_data_desc(const conv_descs *d, dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attributes = onednn_attributes(NULL);
#if DNNL_VERSION_MAJOR >= 3
    onednn_good(dnnl_convolution_backward_data_primitive_desc_create(
        &desc, onednn_engine, dnnl_convolution_direct, d->x, d->weight_factor, d->y_factor,
        d->stride, d->dilation, d->before, d->after, hint, attributes));
#else
    dnnl_convolution_desc_t wanted;
    if (onednn_good(dnnl_dilated_convolution_backward_data_desc_init(
            &wanted, dnnl_convolution_direct, &d->x, &d->weight_factor, &d->y_factor, d->stride,
            d->dilation, d->before, d->after)))
        onednn_good(dnnl_primitive_desc_create(&desc, &wanted, attributes, onednn_engine, hint));
#endif
    dnnl_primitive_attr_destroy(attributes);
    return desc;
}

static dnnl_primitive_desc_t backward_weights_desc(const conv_descs *d,
                                                   dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t desc = NULL;
#if DNNL_VERSION_MAJOR >= 3
    onednn_good(dnnl_convolution_backward_weights_primitive_desc_create(
        &desc, onednn_engine, dnnl_convolution_direct, d->x_factor, d->weight, NULL, d->y_factor,
        d->stride, d->dilation, d->before, d->after, hint, NULL));
#else
    dnnl_convolution_desc_t wanted;
    if (onednn_good(dnnl_dilated_convolution_backward_weights_desc_init(
            &wanted, dnnl_convolution_direct, &d->x_factor, &d->weight, NULL, &d->y_factor,
            d->stride, d->dilation, d->before, d->after)))
        onednn_good(dnnl_primitive_desc_create(&desc, &wanted, NULL, onednn_engine, hint));
#endif
    return desc;
}

static bool make_pass(const dl_onednn_conv *c, const conv_descs *d, int which,
                      dnnl_primitive_desc_t desc, ordered_operation *pass) {
    operation *op = &pass->op;
    if (!desc || dnnl_primitive_create(&op->primitive, desc) != dnnl_success)
        return false;
    bool back = which == BACKWARD_WEIGHTS;
    desc_ref weight = dnnl_primitive_desc_query_md(
        desc, back ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    switch (which) {
    case FORWARD:
        return onednn_make_reorder(pass, REF(d->plain), weight, false) &&
               onednn_add_argument(op, DNNL_ARG_SRC, REF(d->x_factor)) &&
               onednn_add_argument(op, DNNL_ARG_WEIGHTS, weight) &&
               onednn_add_argument(op, DNNL_ARG_DST, REF(d->y)) &&
               (!c->bias || onednn_add_argument(op, DNNL_ARG_BIAS, REF(d->bias))) &&
               onednn_add_scratchpad(op, desc);
    case BACKWARD_DATA:
        return onednn_make_reorder(pass, REF(d->plain), weight, false) &&
               onednn_add_argument(op, DNNL_ARG_DIFF_DST, REF(d->y_factor)) &&
               onednn_add_argument(op, DNNL_ARG_WEIGHTS, weight) &&
               onednn_add_argument(op, DNNL_ARG_DIFF_SRC, REF(d->x)) &&
               onednn_add_scratchpad(op, desc);
    default:
        return onednn_make_reorder(pass, REF(d->plain), weight, true) &&
               onednn_add_argument(op, DNNL_ARG_SRC, REF(d->x_factor)) &&
               onednn_add_argument(op, DNNL_ARG_DIFF_WEIGHTS, weight) &&
               onednn_add_argument(op, DNNL_ARG_DIFF_DST, REF(d->y_factor));
    }
}

static void make_batch(dl_onednn_conv *c, int batch) {
    ordered_operation *passes = c->batches[c->batch_count].pass;
    conv_descs d = describe(c, batch);
    dnnl_primitive_desc_t desc[PASSES] = {forward_desc(c, &d)};
    if (c->training && desc[FORWARD]) {
        desc[BACKWARD_DATA] = backward_data_desc(&d, desc[FORWARD]);
        desc[BACKWARD_WEIGHTS] = backward_weights_desc(&d, desc[FORWARD]);
    }
    for (int i = 0; i < PASSES; i++) {
        passes[i].possible = make_pass(c, &d, i, desc[i], &passes[i]);
        if (desc[i])
            dnnl_primitive_desc_destroy(desc[i]);
    }
    free_descs(&d);
    c->batches[c->batch_count++].batch = batch;
}

/* Of the weights as they are, rounded up. */
static size_t plain_bytes(const dl_onednn_conv *c) {
    const dl_window *w = &c->window;
    size_t bytes = sizeof(float) * (size_t)w->kernel[0] * (size_t)w->kernel[1] *
                   (size_t)w->channels * (size_t)c->filters;
    return (bytes + DL_ALIGN - 1) / DL_ALIGN * DL_ALIGN;
}

static int64_t x_count(const dl_onednn_conv *c, int batch) {
    return (int64_t)batch * c->window.height * c->window.width * c->window.channels;
}

static int64_t y_count(const dl_onednn_conv *c, int batch) {
    return (int64_t)batch * c->window.out_height * c->window.out_width * c->filters;
}

static size_t narrow_bytes(int64_t count) {
    return (sizeof(uint16_t) * (size_t)count + DL_ALIGN - 1) / DL_ALIGN * DL_ALIGN;
}

/* x or y as the factors are: as they are, or as bfloat16 in the scratch memory. */
static const void *x_factor(const dl_onednn_conv *c, int batch, const float *x, void *scratch) {
    void *memory = (char *)scratch + c->scratch + plain_bytes(c);
    return c->bf16 ? onednn_narrow(x, x_count(c, batch), memory) : x;
}

static const void *y_factor(const dl_onednn_conv *c, int batch, const float *y, void *scratch) {
    void *memory = (char *)scratch + c->scratch + plain_bytes(c) + narrow_bytes(x_count(c, batch));
    return c->bf16 ? onednn_narrow(y, y_count(c, batch), memory) : y;
}

/* oneDNN 3.7 reads the wrong rows of an image with one output column and unequal strides. With
   several threads and few images, oneDNN 2.6 writes outside its buffer in the backward pass of the
   weights of a strided 1x1 kernel. */
static bool is_faulty(const dl_window *w) {
    bool unequal = w->stride[0] != w->stride[1], strided = unequal || w->stride[0] > 1;
    return (w->out_width == 1 && unequal) || (w->kernel[0] * w->kernel[1] == 1 && strided);
}

dl_onednn_conv *dl_onednn_conv_new(const dl_window *window, int filters, int batch, bool bias,
                                   bool relu, bool training, bool bf16) {
    if (!onednn_start() || is_faulty(window))
        return NULL;
    dl_onednn_conv *c = xcalloc(1, sizeof *c);
    c->window = *window;
    c->filters = filters;
    c->bias = bias;
    c->relu = relu;
    c->training = training;
    c->bf16 = bf16;
    if (bf16)
        c->narrow = narrow_bytes(x_count(c, batch)) + narrow_bytes(y_count(c, batch));
    make_batch(c, batch);
    for (int i = 0; i < PASSES; i++)
        if (c->batches[0].pass[i].bytes > c->scratch)
            c->scratch = c->batches[0].pass[i].bytes;
    c->scratch = (c->scratch + DL_ALIGN - 1) / DL_ALIGN * DL_ALIGN;
    if (c->batches[0].pass[FORWARD].possible)
        return c;
    dl_onednn_conv_free(c);
    return NULL;
}

void dl_onednn_conv_free(dl_onednn_conv *c) {
    for (int b = 0; c && b < c->batch_count; b++)
        for (int i = 0; i < PASSES; i++)
            onednn_free_ordered(&c->batches[b].pass[i]);
    if (c)
        free(c->frozen.memory);
    free(c);
}

size_t dl_onednn_conv_scratch(const dl_onednn_conv *c) {
    return c->scratch + plain_bytes(c) + c->narrow;
}

/* The pass for a batch of this size: made when it is met, as far as there is room. */
static const ordered_operation *find_pass(dl_onednn_conv *c, int batch, int which) {
    int b = 0;
    while (b < c->batch_count && c->batches[b].batch != batch)
        b++;
    if (b == MOST_BATCHES)
        return NULL;
    if (b == c->batch_count)
        make_batch(c, batch);
    const ordered_operation *pass = &c->batches[b].pass[which];
    return pass->possible && pass->bytes <= c->scratch ? pass : NULL;
}

/* The weights in the order of the forward pass; those of a net that is not trained are kept. */
static const float *forward_weights(dl_onednn_conv *c, const ordered_operation *pass,
                                    const float *weight, void *scratch) {
    return c->training ? onednn_ordered(pass, weight, scratch)
                       : onednn_frozen(&c->frozen, pass, weight);
}

bool dl_onednn_conv_forward(dl_onednn_conv *c, int batch, const float *x, const float *weight,
                            const float *bias, float *y, void *scratch) {
    const ordered_operation *pass = find_pass(c, batch, FORWARD);
    const float *w = pass ? forward_weights(c, pass, weight, scratch) : NULL;
    return w && onednn_run(&pass->op, (const void *[]){x_factor(c, batch, x, scratch), w, y, bias});
}

bool dl_onednn_conv_backward_data(dl_onednn_conv *c, int batch, const float *dy,
                                  const float *weight, float *dx, void *scratch) {
    const ordered_operation *pass = find_pass(c, batch, BACKWARD_DATA);
    const float *w = pass ? onednn_ordered(pass, weight, scratch) : NULL;
    return w && onednn_run(&pass->op, (const void *[]){y_factor(c, batch, dy, scratch), w, dx});
}

bool dl_onednn_conv_backward_weights(dl_onednn_conv *c, int batch, const float *x, const float *dy,
                                     float beta, float *dweight, void *scratch) {
    const ordered_operation *pass = find_pass(c, batch, BACKWARD_WEIGHTS);
    float *plain = beta == 0 ? dweight : (float *)((char *)scratch + c->scratch);
    float *target = pass && pass->reorder.primitive ? scratch : plain;
    if (!pass || !onednn_run(&pass->op, (const void *[]){x_factor(c, batch, x, scratch), target,
                                                         y_factor(c, batch, dy, scratch)}))
        return false;
    if (target != plain && !onednn_run(&pass->reorder, (const void *[]){target, plain}))
        return false;
    if (plain != dweight)
        dl_add(dweight, plain,
               (int64_t)c->window.kernel[0] * c->window.kernel[1] * c->window.channels *
                   c->filters);
    return true;
}

#endif
