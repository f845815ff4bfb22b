#include "math/onednn.h"

#ifndef DL_ONEDNN

#include <stddef.h>

const char *dl_onednn_version(void) {
    return NULL;
}

bool dl_onednn_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                    const float *a, const float *b, float beta, float *c) {
    (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k;
    (void)a, (void)b, (void)beta, (void)c;
    return false;
}

dl_onednn_conv *dl_onednn_conv_new(const dl_window *window, int filters, int batch, bool bias,
                                   bool relu, bool training) {
    (void)window, (void)filters, (void)batch, (void)bias, (void)relu, (void)training;
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
                                     const float *dy, float *dweight, void *scratch) {
    (void)conv, (void)batch, (void)x, (void)dy, (void)dweight, (void)scratch;
    return false;
}

void dl_onednn_release(void) {
}

#else

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- versions 2 and 3 differ in how descriptors are held, and in the functions that make them
 * ---- */

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t desc_ref;
#define REF(desc) (desc)
#else
typedef const dnnl_memory_desc_t *desc_ref;
#define REF(desc) (&(desc))
#endif

static dnnl_memory_desc_t make_desc(int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag) {
    dnnl_memory_desc_t desc;
    memset(&desc, 0, sizeof desc);
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_create_with_tag(&desc, rank, dims, dnnl_f32, tag);
#else
    dnnl_memory_desc_init_by_tag(&desc, rank, dims, dnnl_f32, tag);
#endif
    return desc;
}

static void free_desc(dnnl_memory_desc_t *desc) {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_destroy(*desc);
#else
    (void)desc;
#endif
}

static void append_sum(dnnl_post_ops_t ops) {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_f32);
#else
    dnnl_post_ops_append_sum(ops, 1.0f);
#endif
}

static void append_relu(dnnl_post_ops_t ops) {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0, 0);
#else
    dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0, 0);
#endif
}

/* ---- the library ---- */

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static bool start(void) {
    if (stream)
        return true;
    if (!engine && dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
        return false;
    return dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) == dnnl_success;
}

const char *dl_onednn_version(void) {
    static char text[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

/* A primitive with the tensors that it works on; their addresses are set at each call. */
enum { MOST_ARGUMENTS = 4 };
typedef struct {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t argument[MOST_ARGUMENTS];
    int count;
} operation;

static bool add_argument(operation *op, int which, desc_ref desc) {
    dnnl_exec_arg_t *argument = &op->argument[op->count];
    argument->arg = which;
    if (dnnl_memory_create(&argument->memory, desc, engine, DNNL_MEMORY_NONE) != dnnl_success)
        return false;
    op->count++;
    return true;
}

static void free_operation(operation *op) {
    for (int i = 0; i < op->count; i++)
        dnnl_memory_destroy(op->argument[i].memory);
    if (op->primitive)
        dnnl_primitive_destroy(op->primitive);
    *op = (operation){0};
}

static bool run(const operation *op, const void *const *addresses) {
    for (int i = 0; i < op->count; i++)
        dnnl_memory_set_data_handle(op->argument[i].memory, (void *)addresses[i]);
    return dnnl_primitive_execute(op->primitive, stream, op->count, op->argument) == dnnl_success &&
           dnnl_stream_wait(stream) == dnnl_success;
}

static dnnl_primitive_attr_t make_attributes(void (*append)(dnnl_post_ops_t)) {
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t ops = NULL;
    dnnl_primitive_attr_create(&attributes);
    if (append && dnnl_post_ops_create(&ops) == dnnl_success) {
        append(ops);
        dnnl_primitive_attr_set_post_ops(attributes, ops);
        dnnl_post_ops_destroy(ops);
    }
    return attributes;
}

/* ---- matrix products ---- */

enum { MOST_PRODUCTS = 256 };

typedef struct {
    bool transpose_a, transpose_b, add;
    int64_t m, n, k;
    bool possible;
    operation op;
} product;

static product products[MOST_PRODUCTS];
static int product_count;

static bool make_product(product *p) {
    dnnl_memory_desc_t a =
        make_desc(2, (dnnl_dims_t){p->m, p->k}, p->transpose_a ? dnnl_ba : dnnl_ab);
    dnnl_memory_desc_t b =
        make_desc(2, (dnnl_dims_t){p->k, p->n}, p->transpose_b ? dnnl_ba : dnnl_ab);
    dnnl_memory_desc_t c = make_desc(2, (dnnl_dims_t){p->m, p->n}, dnnl_ab);
    dnnl_primitive_attr_t attributes = make_attributes(p->add ? append_sum : NULL);
    dnnl_primitive_desc_t desc = NULL;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_matmul_primitive_desc_create(&desc, engine, a, b, NULL, c, attributes);
#else
    dnnl_matmul_desc_t wanted;
    if (dnnl_matmul_desc_init(&wanted, &a, &b, NULL, &c) == dnnl_success)
        dnnl_primitive_desc_create(&desc, &wanted, attributes, engine, NULL);
#endif
    bool good = desc && dnnl_primitive_create(&p->op.primitive, desc) == dnnl_success &&
                add_argument(&p->op, DNNL_ARG_SRC, REF(a)) &&
                add_argument(&p->op, DNNL_ARG_WEIGHTS, REF(b)) &&
                add_argument(&p->op, DNNL_ARG_DST, REF(c));
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    dnnl_primitive_attr_destroy(attributes);
    free_desc(&a);
    free_desc(&b);
    free_desc(&c);
    return good;
}

static product *find_product(const product *wanted) {
    for (int i = 0; i < product_count; i++) {
        const product *p = &products[i];
        if (p->m == wanted->m && p->n == wanted->n && p->k == wanted->k &&
            p->transpose_a == wanted->transpose_a && p->transpose_b == wanted->transpose_b &&
            p->add == wanted->add)
            return &products[i];
    }
    if (product_count == MOST_PRODUCTS || !start())
        return NULL;
    product *p = &products[product_count++];
    *p = *wanted;
    p->possible = make_product(p);
    return p;
}

bool dl_onednn_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                    const float *a, const float *b, float beta, float *c) {
    product wanted = {transpose_a, transpose_b, beta != 0, m, n, k, false, {0}};
    const product *p = find_product(&wanted);
    return p && p->possible && run(&p->op, (const void *[]){a, b, c});
}

/* ---- convolutions ---- */

/* A pass over a convolution: its kernel, and the reordering of the weights that it wants. */
typedef struct {
    bool possible;
    operation op, reorder; /* reorder.primitive NULL: the kernel takes the weights as they are */
    size_t bytes;          /* of the weights in the kernel's order */
} conv_pass;

enum { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS, PASSES, MOST_BATCHES = 6 };

struct dl_onednn_conv {
    dl_window window;
    int filters;
    bool bias, relu, training;
    size_t scratch;
    int batch_count;
    struct {
        int batch;
        conv_pass pass[PASSES];
    } batches[MOST_BATCHES];
};

/* The descriptors of a convolution's tensors; weights in any order. */
typedef struct {
    dnnl_memory_desc_t x, weight, plain, bias, y;
    dnnl_dims_t stride, dilation, before, after;
} conv_descs;

static conv_descs describe(const dl_onednn_conv *c, int batch) {
    const dl_window *w = &c->window;
    conv_descs d;
    dnnl_dims_t x = {batch, w->channels, w->height, w->width};
    dnnl_dims_t weight = {c->filters, w->channels, w->kernel[0], w->kernel[1]};
    dnnl_dims_t y = {batch, c->filters, w->out_height, w->out_width}, bias = {c->filters};
    int in[2] = {w->height, w->width}, out[2] = {w->out_height, w->out_width};
    d.x = make_desc(4, x, dnnl_nhwc);
    d.weight = make_desc(4, weight, dnnl_format_tag_any);
    d.plain = make_desc(4, weight, dnnl_hwio);
    d.bias = make_desc(1, bias, dnnl_a);
    d.y = make_desc(4, y, dnnl_nhwc);
    for (int i = 0; i < 2; i++) {
        d.stride[i] = w->stride[i];
        d.dilation[i] = 0;
        d.before[i] = w->before[i];
        d.after[i] = (out[i] - 1) * w->stride[i] + w->kernel[i] - in[i] - w->before[i];
    }
    return d;
}

static void free_descs(conv_descs *d) {
    free_desc(&d->x);
    free_desc(&d->weight);
    free_desc(&d->plain);
    free_desc(&d->bias);
    free_desc(&d->y);
}

static dnnl_primitive_desc_t forward_desc(const dl_onednn_conv *c, const conv_descs *d) {
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attributes = make_attributes(c->relu ? append_relu : NULL);
    desc_ref bias = c->bias ? REF(d->bias) : NULL;
    dnnl_prop_kind_t kind = c->training ? dnnl_forward_training : dnnl_forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_convolution_forward_primitive_desc_create(&desc, engine, kind, dnnl_convolution_direct,
                                                   d->x, d->weight, bias, d->y, d->stride,
                                                   d->dilation, d->before, d->after, attributes);
#else
    dnnl_convolution_desc_t wanted;
    if (dnnl_convolution_forward_desc_init(&wanted, kind, dnnl_convolution_direct, &d->x,
                                           &d->weight, bias, &d->y, d->stride, d->before,
                                           d->after) == dnnl_success)
        dnnl_primitive_desc_create(&desc, &wanted, attributes, engine, NULL);
#endif
    dnnl_primitive_attr_destroy(attributes);
    return desc;
}

static dnnl_primitive_desc_t backward_data_desc(const conv_descs *d, dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t desc = NULL;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_convolution_backward_data_primitive_desc_create(
        &desc, engine, dnnl_convolution_direct, d->x, d->weight, d->y, d->stride, d->dilation,
        d->before, d->after, hint, NULL);
#else
    dnnl_convolution_desc_t wanted;
    if (dnnl_convolution_backward_data_desc_init(&wanted, dnnl_convolution_direct, &d->x,
                                                 &d->weight, &d->y, d->stride, d->before,
                                                 d->after) == dnnl_success)
        dnnl_primitive_desc_create(&desc, &wanted, NULL, engine, hint);
#endif
    return desc;
}

static dnnl_primitive_desc_t backward_weights_desc(const conv_descs *d,
                                                   dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t desc = NULL;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_convolution_backward_weights_primitive_desc_create(
        &desc, engine, dnnl_convolution_direct, d->x, d->weight, NULL, d->y, d->stride, d->dilation,
        d->before, d->after, hint, NULL);
#else
    dnnl_convolution_desc_t wanted;
    if (dnnl_convolution_backward_weights_desc_init(&wanted, dnnl_convolution_direct, &d->x,
                                                    &d->weight, NULL, &d->y, d->stride, d->before,
                                                    d->after) == dnnl_success)
        dnnl_primitive_desc_create(&desc, &wanted, NULL, engine, hint);
#endif
    return desc;
}

/* The reordering between plain weights and those that a kernel wants; `back`: from the kernel's to
   the plain ones, added to what is there. */
static bool make_reorder(conv_pass *pass, desc_ref plain, desc_ref wanted, bool back) {
    dnnl_primitive_desc_t desc = NULL;
    pass->bytes = dnnl_memory_desc_get_size(wanted);
    if (!back && dnnl_memory_desc_equal(plain, wanted))
        return true;
    desc_ref from = back ? wanted : plain, to = back ? plain : wanted;
    dnnl_primitive_attr_t attributes = make_attributes(back ? append_sum : NULL);
    dnnl_reorder_primitive_desc_create(&desc, from, engine, to, engine, attributes);
    bool good = desc && dnnl_primitive_create(&pass->reorder.primitive, desc) == dnnl_success &&
                add_argument(&pass->reorder, DNNL_ARG_FROM, from) &&
                add_argument(&pass->reorder, DNNL_ARG_TO, to);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    dnnl_primitive_attr_destroy(attributes);
    return good;
}

static bool make_pass(const dl_onednn_conv *c, const conv_descs *d, int which,
                      dnnl_primitive_desc_t desc, conv_pass *pass) {
    operation *op = &pass->op;
    if (!desc || dnnl_primitive_create(&op->primitive, desc) != dnnl_success)
        return false;
    bool back = which == BACKWARD_WEIGHTS;
    desc_ref weight = dnnl_primitive_desc_query_md(
        desc, back ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    switch (which) {
    case FORWARD:
        return make_reorder(pass, REF(d->plain), weight, false) &&
               add_argument(op, DNNL_ARG_SRC, REF(d->x)) &&
               add_argument(op, DNNL_ARG_WEIGHTS, weight) &&
               add_argument(op, DNNL_ARG_DST, REF(d->y)) &&
               (!c->bias || add_argument(op, DNNL_ARG_BIAS, REF(d->bias)));
    case BACKWARD_DATA:
        return make_reorder(pass, REF(d->plain), weight, false) &&
               add_argument(op, DNNL_ARG_DIFF_DST, REF(d->y)) &&
               add_argument(op, DNNL_ARG_WEIGHTS, weight) &&
               add_argument(op, DNNL_ARG_DIFF_SRC, REF(d->x));
    default:
        return make_reorder(pass, REF(d->plain), weight, true) &&
               add_argument(op, DNNL_ARG_SRC, REF(d->x)) &&
               add_argument(op, DNNL_ARG_DIFF_WEIGHTS, weight) &&
               add_argument(op, DNNL_ARG_DIFF_DST, REF(d->y));
    }
}

static void make_batch(dl_onednn_conv *c, int batch) {
    conv_pass *passes = c->batches[c->batch_count].pass;
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

dl_onednn_conv *dl_onednn_conv_new(const dl_window *window, int filters, int batch, bool bias,
                                   bool relu, bool training) {
    if (!start())
        return NULL;
    dl_onednn_conv *c = xcalloc(1, sizeof *c);
    c->window = *window;
    c->filters = filters;
    c->bias = bias;
    c->relu = relu;
    c->training = training;
    make_batch(c, batch);
    for (int i = 0; i < PASSES; i++)
        if (c->batches[0].pass[i].bytes > c->scratch)
            c->scratch = c->batches[0].pass[i].bytes;
    if (c->batches[0].pass[FORWARD].possible)
        return c;
    dl_onednn_conv_free(c);
    return NULL;
}

void dl_onednn_conv_free(dl_onednn_conv *c) {
    for (int b = 0; c && b < c->batch_count; b++)
        for (int i = 0; i < PASSES; i++) {
            free_operation(&c->batches[b].pass[i].op);
            free_operation(&c->batches[b].pass[i].reorder);
        }
    free(c);
}

size_t dl_onednn_conv_scratch(const dl_onednn_conv *c) {
    return c->scratch;
}

/* The pass for a batch of this size: made when it is met, as far as there is room. */
static const conv_pass *find_pass(dl_onednn_conv *c, int batch, int which) {
    int b = 0;
    while (b < c->batch_count && c->batches[b].batch != batch)
        b++;
    if (b == MOST_BATCHES)
        return NULL;
    if (b == c->batch_count)
        make_batch(c, batch);
    const conv_pass *pass = &c->batches[b].pass[which];
    return pass->possible && pass->bytes <= c->scratch ? pass : NULL;
}

/* The weights in the order that the pass wants; NULL if that failed. */
static const float *reordered(const conv_pass *pass, const float *weight, void *scratch) {
    if (!pass->reorder.primitive)
        return weight;
    return run(&pass->reorder, (const void *[]){weight, scratch}) ? scratch : NULL;
}

bool dl_onednn_conv_forward(dl_onednn_conv *c, int batch, const float *x, const float *weight,
                            const float *bias, float *y, void *scratch) {
    const conv_pass *pass = find_pass(c, batch, FORWARD);
    const float *w = pass ? reordered(pass, weight, scratch) : NULL;
    return w && run(&pass->op, (const void *[]){x, w, y, bias});
}

bool dl_onednn_conv_backward_data(dl_onednn_conv *c, int batch, const float *dy,
                                  const float *weight, float *dx, void *scratch) {
    const conv_pass *pass = find_pass(c, batch, BACKWARD_DATA);
    const float *w = pass ? reordered(pass, weight, scratch) : NULL;
    return w && run(&pass->op, (const void *[]){dy, w, dx});
}

bool dl_onednn_conv_backward_weights(dl_onednn_conv *c, int batch, const float *x, const float *dy,
                                     float *dweight, void *scratch) {
    const conv_pass *pass = find_pass(c, batch, BACKWARD_WEIGHTS);
    return pass && run(&pass->op, (const void *[]){x, scratch, dy}) &&
           run(&pass->reorder, (const void *[]){scratch, dweight});
}

void dl_onednn_release(void) {
    for (int i = 0; i < product_count; i++)
        free_operation(&products[i].op);
    product_count = 0;
    if (stream)
        dnnl_stream_destroy(stream);
    if (engine)
        dnnl_engine_destroy(engine);
    stream = NULL;
    engine = NULL;
}

#endif
