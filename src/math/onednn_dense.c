/* SPDX-License-Identifier: MIT */
#include "math/onednn.h"

#ifndef DL_ONEDNN

dl_onednn_dense *dl_onednn_dense_new(int64_t inputs, int64_t outputs, bool bias, bool relu) {
    (void)inputs, (void)outputs, (void)bias, (void)relu;
    return NULL;
}

void dl_onednn_dense_free(dl_onednn_dense *dense) {
    (void)dense;
}

bool dl_onednn_dense_forward(dl_onednn_dense *dense, int64_t rows, const float *x,
                             const float *weight, const float *bias, float *y) {
    (void)dense, (void)rows, (void)x, (void)weight, (void)bias, (void)y;
    return false;
}

#else

#include <stdlib.h>

#include "base/memory.h"
#include "math/onednn_common.h"

enum { MOST_BATCHES = 6 };

struct dl_onednn_dense {
    int64_t inputs, outputs;
    bool bias, relu;
    frozen_weights frozen;
    int batch_count;
    struct {
        int64_t rows;
        ordered_operation op;
    } batches[MOST_BATCHES];
};

static dnnl_primitive_desc_t describe(const dl_onednn_dense *d, dnnl_memory_desc_t x,
                                      dnnl_memory_desc_t weight, dnnl_memory_desc_t bias,
                                      dnnl_memory_desc_t y) {
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attributes = onednn_attributes(d->relu ? onednn_append_relu : NULL);
    desc_ref wanted_bias = d->bias ? REF(bias) : NULL;
#if DNNL_VERSION_MAJOR >= 3
    onednn_good(dnnl_inner_product_forward_primitive_desc_create(
        &desc, onednn_engine, dnnl_forward_inference, x, weight, wanted_bias, y, attributes));
#else
    dnnl_inner_product_desc_t wanted;
    if (onednn_good(dnnl_inner_product_forward_desc_init(&wanted, dnnl_forward_inference, &x,
                                                         &weight, wanted_bias, &y)))
        onednn_good(dnnl_primitive_desc_create(&desc, &wanted, attributes, onednn_engine, NULL));
#endif
    dnnl_primitive_attr_destroy(attributes);
    return desc;
}

static bool make(const dl_onednn_dense *d, int64_t rows, ordered_operation *o) {
    dnnl_dims_t weights = {d->outputs, d->inputs};
    dnnl_memory_desc_t x = onednn_desc(2, (dnnl_dims_t){rows, d->inputs}, dnnl_ab);
    dnnl_memory_desc_t any = onednn_desc(2, weights, dnnl_format_tag_any);
    dnnl_memory_desc_t plain = onednn_desc(2, weights, dnnl_ba);
    dnnl_memory_desc_t bias = onednn_desc(1, (dnnl_dims_t){d->outputs}, dnnl_a);
    dnnl_memory_desc_t y = onednn_desc(2, (dnnl_dims_t){rows, d->outputs}, dnnl_ab);
    dnnl_primitive_desc_t desc = describe(d, x, any, bias, y);
    bool good = desc && onednn_good(dnnl_primitive_create(&o->op.primitive, desc));
    if (good) {
        desc_ref weight = dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
        good = onednn_make_reorder(o, REF(plain), weight, false) &&
               onednn_add_argument(&o->op, DNNL_ARG_SRC, REF(x)) &&
               onednn_add_argument(&o->op, DNNL_ARG_WEIGHTS, weight) &&
               onednn_add_argument(&o->op, DNNL_ARG_DST, REF(y)) &&
               (!d->bias || onednn_add_argument(&o->op, DNNL_ARG_BIAS, REF(bias))) &&
               onednn_add_scratchpad(&o->op, desc);
    }
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    dnnl_memory_desc_t *all[] = {&x, &any, &plain, &bias, &y};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        onednn_free_desc(all[i]);
    return good;
}

dl_onednn_dense *dl_onednn_dense_new(int64_t inputs, int64_t outputs, bool bias, bool relu) {
    if (!onednn_start())
        return NULL;
    dl_onednn_dense *d = xcalloc(1, sizeof *d);
    d->inputs = inputs;
    d->outputs = outputs;
    d->bias = bias;
    d->relu = relu;
    return d;
}

void dl_onednn_dense_free(dl_onednn_dense *d) {
    for (int b = 0; d && b < d->batch_count; b++)
        onednn_free_ordered(&d->batches[b].op);
    if (d)
        free(d->frozen.memory);
    free(d);
}

bool dl_onednn_dense_forward(dl_onednn_dense *d, int64_t rows, const float *x, const float *weight,
                             const float *bias, float *y) {
    int b = 0;
    while (b < d->batch_count && d->batches[b].rows != rows)
        b++;
    if (b == MOST_BATCHES)
        return false;
    ordered_operation *o = &d->batches[b].op;
    if (b == d->batch_count) {
        d->batches[d->batch_count++].rows = rows;
        o->possible = make(d, rows, o);
    }
    const float *w = o->possible ? onednn_frozen(&d->frozen, o, weight) : NULL;
    return w && onednn_run(&o->op, (const void *[]){x, w, y, bias});
}

#endif
