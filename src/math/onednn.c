/* SPDX-License-Identifier: MIT */
#include "math/onednn.h"

#ifndef DL_ONEDNN

#include <stddef.h>

const char *dl_onednn_version(void) {
    return NULL;
}

bool dl_onednn_has_bf16(void) {
    return false;
}

bool dl_onednn_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                    const float *a, const float *b, float beta, bool bf16, float *c) {
    (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k;
    (void)a, (void)b, (void)beta, (void)bf16, (void)c;
    return false;
}

bool dl_onednn_gemm_activate(int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                             const float *bias, bool relu, bool bf16, float *c) {
    (void)m, (void)n, (void)k, (void)a, (void)b, (void)bias, (void)relu, (void)bf16, (void)c;
    return false;
}

void dl_onednn_release(void) {
}

#else

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "math/onednn_common.h"

/* ---- the library ---- */

dnnl_engine_t onednn_engine;

enum { MOST_PRODUCTS = 256 };

typedef struct {
    bool transpose_a, transpose_b, add, bias, relu, bf16;
    int64_t m, n, k;
    bool possible;
    operation op;
} product;

/* Of a thread: several may run nets at once. */
typedef struct {
    dnnl_stream_t stream;
    product products[MOST_PRODUCTS];
    int product_count;
    /* The factors of a product as bfloat16; grown when a product is made. */
    struct {
        void *memory;
        int64_t count;
    } factors[2];
} thread_state;

static _Thread_local thread_state *own;
static pthread_key_t key; /* frees `own` at the end of a thread */
static pthread_once_t once = PTHREAD_ONCE_INIT;

bool onednn_good(dnnl_status_t status) {
    if (status == dnnl_out_of_memory)
        dl_out_of_memory(0);
    return status == dnnl_success;
}

#ifdef DL_LIBRARY /* its host may have a handler */
static void watch_memory(void) {
}
#else
/* std::set_new_handler of the C++ library that oneDNN brings: its own want of memory ends as ours
   does, not by an exception that nobody catches. */
extern void *set_new_handler(void (*)(void)) __asm__("_ZSt15set_new_handlerPFvvE")
    __attribute__((weak));

static void out_of_memory(void) {
    dl_out_of_memory(0);
}

static void watch_memory(void) {
    if (set_new_handler)
        set_new_handler(out_of_memory);
}
#endif

static void free_thread_state(void *memory) {
    thread_state *state = memory;
    if (!state)
        return;
    for (int i = 0; i < state->product_count; i++)
        onednn_free_operation(&state->products[i].op);
    for (int i = 0; i < 2; i++)
        free(state->factors[i].memory);
    if (state->stream)
        dnnl_stream_destroy(state->stream);
    free(state);
}

static void start_engine(void) {
    watch_memory();
    if (pthread_key_create(&key, free_thread_state) ||
        dnnl_engine_create(&onednn_engine, dnnl_cpu, 0) != dnnl_success)
        onednn_engine = NULL;
}

bool onednn_start(void) {
    if (own)
        return true;
    pthread_once(&once, start_engine);
    dnnl_stream_t stream;
    if (!onednn_engine ||
        !onednn_good(dnnl_stream_create(&stream, onednn_engine, dnnl_stream_default_flags)))
        return false;
    own = xcalloc(1, sizeof *own);
    own->stream = stream;
    pthread_setspecific(key, own);
    return true;
}

const char *dl_onednn_version(void) {
    static char text[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

bool dl_onednn_has_bf16(void) {
    const int wanted = dnnl_cpu_isa_avx512_core_bf16;
    return ((int)dnnl_get_effective_cpu_isa() & wanted) == wanted;
}

/* To the nearest, ties to even; NaN stays NaN. */
static uint16_t narrow(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)(x == x ? rounded : 0x7fc0);
}

const void *onednn_narrow(const float *x, int64_t count, void *memory) {
    uint16_t *y = memory;
#pragma omp parallel for simd schedule(static) if (count >= 1 << 15)
    for (int64_t i = 0; i < count; i++)
        y[i] = narrow(x[i]);
    return y;
}

bool onednn_add_argument(operation *op, int which, desc_ref desc) {
    dnnl_exec_arg_t *argument = &op->argument[op->count];
    argument->arg = which;
    if (dnnl_memory_create(&argument->memory, desc, onednn_engine, DNNL_MEMORY_NONE) !=
        dnnl_success)
        return false;
    op->count++;
    return true;
}

bool onednn_add_scratchpad(operation *op, const_dnnl_primitive_desc_t desc) {
    const desc_ref wanted = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    size_t size = wanted ? dnnl_memory_desc_get_size(wanted) : 0;
    dnnl_exec_arg_t *argument = &op->argument[op->count];
    if (!size)
        return true;
    op->scratch = dl_memory_aligned(size);
    argument->arg = DNNL_ARG_SCRATCHPAD;
    if (dnnl_memory_create(&argument->memory, wanted, onednn_engine, op->scratch) == dnnl_success)
        return true;
    free(op->scratch);
    op->scratch = NULL;
    return false;
}

void onednn_free_operation(operation *op) {
    for (int i = 0; i < op->count; i++)
        dnnl_memory_destroy(op->argument[i].memory);
    if (op->scratch)
        dnnl_memory_destroy(op->argument[op->count].memory);
    free(op->scratch);
    if (op->primitive)
        dnnl_primitive_destroy(op->primitive);
    *op = (operation){0};
}

bool onednn_run(const operation *op, const void *const *addresses) {
    for (int i = 0; i < op->count; i++)
        onednn_good(dnnl_memory_set_data_handle(op->argument[i].memory, (void *)addresses[i]));
    int count = op->count + (op->scratch != NULL);
    return onednn_start() &&
           onednn_good(dnnl_primitive_execute(op->primitive, own->stream, count, op->argument)) &&
           onednn_good(dnnl_stream_wait(own->stream));
}

/* What cannot fail but for want of memory, and would compute something else if it did. */
static void must(dnnl_status_t status) {
    if (!onednn_good(status))
        dl_out_of_memory(0);
}

dnnl_primitive_attr_t onednn_attributes(void (*append)(dnnl_post_ops_t)) {
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t ops = NULL;
    must(dnnl_primitive_attr_create(&attributes));
#ifdef DL_LIBRARY /* one thread may create a primitive, and another run it */
    must(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user));
#endif
    if (append) {
        must(dnnl_post_ops_create(&ops));
        append(ops);
        must(dnnl_primitive_attr_set_post_ops(attributes, ops));
        dnnl_post_ops_destroy(ops);
    }
    return attributes;
}

dnnl_memory_desc_t onednn_desc(int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag) {
    return onednn_desc_of(dnnl_f32, rank, dims, tag);
}

dnnl_memory_desc_t onednn_desc_of(dnnl_data_type_t type, int rank, const dnnl_dims_t dims,
                                  dnnl_format_tag_t tag) {
    dnnl_memory_desc_t desc;
    memset(&desc, 0, sizeof desc);
#if DNNL_VERSION_MAJOR >= 3
    onednn_good(dnnl_memory_desc_create_with_tag(&desc, rank, dims, type, tag));
#else
    onednn_good(dnnl_memory_desc_init_by_tag(&desc, rank, dims, type, tag));
#endif
    return desc;
}

void onednn_free_desc(dnnl_memory_desc_t *desc) {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_destroy(*desc);
#else
    (void)desc;
#endif
}

void onednn_append_sum(dnnl_post_ops_t ops) {
#if DNNL_VERSION_MAJOR >= 3
    must(dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_f32));
#else
    must(dnnl_post_ops_append_sum(ops, 1.0f));
#endif
}

void onednn_append_relu(dnnl_post_ops_t ops) {
#if DNNL_VERSION_MAJOR >= 3
    must(dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0, 0));
#else
    must(dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0, 0));
#endif
}

/* ---- weights in the order of a kernel ---- */

bool onednn_make_reorder(ordered_operation *pass, desc_ref plain, desc_ref wanted, bool back) {
    dnnl_primitive_desc_t desc = NULL;
    pass->bytes = dnnl_memory_desc_get_size(wanted);
    if (dnnl_memory_desc_equal(plain, wanted))
        return true;
    desc_ref from = back ? wanted : plain, to = back ? plain : wanted;
    onednn_good(
        dnnl_reorder_primitive_desc_create(&desc, from, onednn_engine, to, onednn_engine, NULL));
    bool good = desc && onednn_good(dnnl_primitive_create(&pass->reorder.primitive, desc)) &&
                onednn_add_argument(&pass->reorder, DNNL_ARG_FROM, from) &&
                onednn_add_argument(&pass->reorder, DNNL_ARG_TO, to);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    return good;
}

void onednn_free_ordered(ordered_operation *o) {
    onednn_free_operation(&o->op);
    onednn_free_operation(&o->reorder);
}

const float *onednn_ordered(const ordered_operation *pass, const float *weight, void *scratch) {
    if (!pass->reorder.primitive)
        return weight;
    return onednn_run(&pass->reorder, (const void *[]){weight, scratch}) ? scratch : NULL;
}

const float *onednn_frozen(frozen_weights *f, const ordered_operation *o, const float *weight) {
    if (!o->reorder.primitive)
        return weight;
    if (f->by == o)
        return f->memory;
    if (f->bytes < o->bytes) {
        free(f->memory);
        f->memory = dl_memory_aligned(o->bytes);
        f->bytes = o->bytes;
    }
    f->by = onednn_ordered(o, weight, f->memory) ? o : NULL;
    return f->by ? f->memory : NULL;
}

/* ---- matrix products ---- */

static void make_room(int which, int64_t count) {
    if (own->factors[which].count >= count)
        return;
    free(own->factors[which].memory);
    own->factors[which].memory = dl_memory_aligned(sizeof(uint16_t) * (size_t)count);
    own->factors[which].count = count;
}

static bool make_product(product *p) {
    dnnl_data_type_t type = p->bf16 ? dnnl_bf16 : dnnl_f32;
    dnnl_memory_desc_t a =
        onednn_desc_of(type, 2, (dnnl_dims_t){p->m, p->k}, p->transpose_a ? dnnl_ba : dnnl_ab);
    dnnl_memory_desc_t b =
        onednn_desc_of(type, 2, (dnnl_dims_t){p->k, p->n}, p->transpose_b ? dnnl_ba : dnnl_ab);
    dnnl_memory_desc_t c = onednn_desc(2, (dnnl_dims_t){p->m, p->n}, dnnl_ab);
    dnnl_memory_desc_t bias = onednn_desc(2, (dnnl_dims_t){1, p->n}, dnnl_ab);
    desc_ref wanted_bias = p->bias ? REF(bias) : NULL;
    dnnl_primitive_attr_t attributes = onednn_attributes(p->add    ? onednn_append_sum
                                                         : p->relu ? onednn_append_relu
                                                                   : NULL);
    dnnl_primitive_desc_t desc = NULL;
#if DNNL_VERSION_MAJOR >= 3
    onednn_good(
        dnnl_matmul_primitive_desc_create(&desc, onednn_engine, a, b, wanted_bias, c, attributes));
#else
    dnnl_matmul_desc_t wanted;
    if (onednn_good(dnnl_matmul_desc_init(&wanted, &a, &b, wanted_bias, &c)))
        onednn_good(dnnl_primitive_desc_create(&desc, &wanted, attributes, onednn_engine, NULL));
#endif
    bool good = desc && onednn_good(dnnl_primitive_create(&p->op.primitive, desc)) &&
                onednn_add_argument(&p->op, DNNL_ARG_SRC, REF(a)) &&
                onednn_add_argument(&p->op, DNNL_ARG_WEIGHTS, REF(b)) &&
                onednn_add_argument(&p->op, DNNL_ARG_DST, REF(c)) &&
                (!p->bias || onednn_add_argument(&p->op, DNNL_ARG_BIAS, REF(bias))) &&
                onednn_add_scratchpad(&p->op, desc);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    dnnl_primitive_attr_destroy(attributes);
    onednn_free_desc(&a);
    onednn_free_desc(&b);
    onednn_free_desc(&c);
    onednn_free_desc(&bias);
    return good;
}

static product *find_product(const product *wanted) {
    if (!onednn_start())
        return NULL;
    for (int i = 0; i < own->product_count; i++) {
        const product *p = &own->products[i];
        if (p->m == wanted->m && p->n == wanted->n && p->k == wanted->k &&
            p->transpose_a == wanted->transpose_a && p->transpose_b == wanted->transpose_b &&
            p->bf16 == wanted->bf16 && p->add == wanted->add && p->bias == wanted->bias &&
            p->relu == wanted->relu)
            return &own->products[i];
    }
    if (own->product_count == MOST_PRODUCTS)
        return NULL;
    product *p = &own->products[own->product_count++];
    *p = *wanted;
    p->possible = make_product(p);
    if (p->bf16) {
        make_room(0, p->m * p->k);
        make_room(1, p->k * p->n);
    }
    return p;
}

static bool run_product(const product *p, const float *a, const float *b, const float *bias,
                        float *c) {
    const void *left = a, *right = b;
    if (!p->possible)
        return false;
    if (p->bf16) {
        left = onednn_narrow(a, p->m * p->k, own->factors[0].memory);
        right = onednn_narrow(b, p->k * p->n, own->factors[1].memory);
    }
    return onednn_run(&p->op, (const void *[]){left, right, c, bias});
}

bool dl_onednn_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                    const float *a, const float *b, float beta, bool bf16, float *c) {
    product wanted = {.transpose_a = transpose_a,
                      .transpose_b = transpose_b,
                      .add = beta != 0,
                      .bf16 = bf16,
                      .m = m,
                      .n = n,
                      .k = k};
    const product *p = find_product(&wanted);
    return p && run_product(p, a, b, NULL, c);
}

bool dl_onednn_gemm_activate(int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                             const float *bias, bool relu, bool bf16, float *c) {
    product wanted = {.bias = bias != NULL, .relu = relu, .bf16 = bf16, .m = m, .n = n, .k = k};
    const product *p = find_product(&wanted);
    return p && run_product(p, a, b, bias, c);
}

void dl_onednn_release(void) {
    if (own)
        pthread_setspecific(key, NULL);
    free_thread_state(own);
    own = NULL;
}

#endif
