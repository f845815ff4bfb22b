/* SPDX-License-Identifier: MIT */
#include "math/attention.h"

#include <math.h>
#include <stddef.h>

#include "math/activation.h"
#include "math/gemm.h"
#include "math/mask.h"
#include "math/threads.h"
#include "math/vector.h"

/* Rows of A that are worked on at a time: they stay in the cache from one product to the next, and
   under `causal` nothing to the right of them is touched. */
enum { ROWS = 64, LINE = 16 };

static const dl_activation softmax = {.kind = DL_SOFTMAX};

static int64_t block_count(const dl_attention *a) {
    return (a->steps + ROWS - 1) / ROWS;
}

/* Floats of the largest block. */
static int64_t block_size(const dl_attention *a) {
    int64_t size = (a->steps < ROWS ? a->steps : ROWS) * a->steps;
    return (size + LINE - 1) / LINE * LINE;
}

int64_t dl_attention_scratch(const dl_attention *a) {
    return 2 * a->threads * block_size(a);
}

int64_t dl_attention_weights(const dl_attention *a) {
    return a->heads * a->steps * a->steps;
}

/* Rows [first, first + rows) of a head's A, of which columns [0, columns) are computed; in memory
   they stand without gaps. */
typedef struct {
    int64_t first, rows, columns;
    int64_t element; /* its first in the row of random numbers, which leaves room for all */
} block;

/* Of head n, counted over all samples. */
static block block_of(const dl_attention *a, int64_t n, int64_t index) {
    int64_t first = index * ROWS, rest = a->steps - first;
    int64_t room = (ROWS * a->steps + DL_MASK_CHUNK - 1) / DL_MASK_CHUNK * DL_MASK_CHUNK;
    block b = {first, rest < ROWS ? rest : ROWS, a->steps, (n * block_count(a) + index) * room};
    if (a->causal)
        b.columns = b.first + b.rows;
    return b;
}

/* Where head n begins in a [batch][T][parts][heads][d]. */
static int64_t offset_of(const dl_attention *a, int64_t n, int64_t parts) {
    return (n / a->heads * a->steps * parts * a->heads + n % a->heads) * a->width;
}

/* x[T][d] /= sqrt(d), with rows `step` floats apart. */
static void scale(const dl_attention *a, int64_t step, float *x) {
    const float factor = (float)(1 / sqrt((double)a->width));
    for (int64_t t = 0; t < a->steps; t++)
        for (int64_t c = 0; c < a->width; c++)
            x[t * step + c] *= factor;
}

static void softmax_rows(const dl_attention *a, const block *b, float *s) {
    for (int64_t r = 0; r < b->rows; r++) {
        float *row = s + r * b->columns;
        int64_t seen = a->causal ? b->first + r + 1 : b->columns;
        dl_activate_row(&softmax, seen, NULL, row, row);
        dl_zero(row + seen, b->columns - seen);
    }
}

/* weights: of head n, or NULL; own: the thread's working memory. */
static void forward_head(const dl_attention *a, int64_t n, const dl_draw *draw, float *qkv,
                         float *weights, float *out, float *own) {
    const int64_t d = a->width, units = a->heads * d, wide = 3 * units;
    float *q = qkv + offset_of(a, n, 3), *k = q + units, *v = k + units;
    out += offset_of(a, n, 1);
    scale(a, wide, q);
    for (int64_t i = 0; i < block_count(a); i++) {
        block b = block_of(a, n, i);
        float *w = weights ? weights + b.first * a->steps : own;
        float *kept = draw ? own + block_size(a) : w;
        dl_gemm_part(false, true, b.rows, b.columns, d, q + b.first * wide, wide, k, wide, 0, w,
                     b.columns);
        softmax_rows(a, &b, w);
        if (draw)
            dl_mask_random_part(draw, a->dropout, b.element, b.rows * b.columns, w, kept);
        dl_gemm_part(false, false, b.rows, d, b.columns, kept, b.columns, v, wide, 0,
                     out + b.first * units, units);
    }
}

/* From the last block to the first: the last one has all the columns, and so begins the sums of dk
   and dv. */
static void backward_head(const dl_attention *a, int64_t n, const dl_draw *draw, const float *qkv,
                          const float *weights, const float *dout, float *dqkv, float *own) {
    const int64_t d = a->width, units = a->heads * d, wide = 3 * units, last = block_count(a) - 1;
    const float *q = qkv + offset_of(a, n, 3), *k = q + units, *v = k + units;
    float *dq = dqkv + offset_of(a, n, 3), *dk = dq + units, *dv = dk + units;
    dout += offset_of(a, n, 1);
    for (int64_t i = last; i >= 0; i--) {
        block b = block_of(a, n, i);
        const float *w = weights + b.first * a->steps, *kept = w, *dy = dout + b.first * units;
        const float beta = i == last ? 0 : 1;
        float *ds = own;
        if (draw) {
            dl_mask_random_part(draw, a->dropout, b.element, b.rows * b.columns, w,
                                own + block_size(a));
            kept = own + block_size(a);
        }
        dl_gemm_part(true, false, b.columns, d, b.rows, kept, b.columns, dy, units, beta, dv, wide);
        dl_gemm_part(false, true, b.rows, b.columns, d, dy, units, v, wide, 0, ds, b.columns);
        if (draw)
            dl_mask_random_part(draw, a->dropout, b.element, b.rows * b.columns, ds, ds);
        for (int64_t r = 0; r < b.rows; r++) /* where A is 0 so is dS */
            dl_activate_backward_row(&softmax, b.columns, w + r * b.columns, ds + r * b.columns,
                                     ds + r * b.columns);
        dl_gemm_part(false, false, b.rows, d, b.columns, ds, b.columns, k, wide, 0,
                     dq + b.first * wide, wide);
        dl_gemm_part(true, false, b.columns, d, b.rows, ds, b.columns, q + b.first * wide, wide,
                     beta, dk, wide);
    }
    scale(a, wide, dq);
}

void dl_attention_forward(const dl_attention *a, int64_t batch, const dl_draw *draw, float *qkv,
                          float *weights, float *out, float *scratch) {
#pragma omp parallel for schedule(static) num_threads(a->threads)
    for (int64_t n = 0; n < batch * a->heads; n++)
        forward_head(a, n, draw, qkv, weights ? weights + n * a->steps * a->steps : NULL, out,
                     scratch + 2 * dl_thread_number() * block_size(a));
}

void dl_attention_backward(const dl_attention *a, int64_t batch, const dl_draw *draw,
                           const float *qkv, const float *weights, const float *dout, float *dqkv,
                           float *scratch) {
#pragma omp parallel for schedule(static) num_threads(a->threads)
    for (int64_t n = 0; n < batch * a->heads; n++)
        backward_head(a, n, draw, qkv, weights + n * a->steps * a->steps, dout, dqkv,
                      scratch + 2 * dl_thread_number() * block_size(a));
}
