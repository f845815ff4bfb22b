/* SPDX-License-Identifier: MIT */
#include "math/norm.h"

#include <math.h>
#include <stdbool.h>

#include "math/vector.h"
#include "math/wide.h"

size_t dl_norm_scratch(int64_t channels) {
    int64_t width = widen(0, channels).width;
    return sizeof(float) * (size_t)(2 * BLOCKS * width + 4 * width);
}

/* Folds the blocks' wide sums of kind `which` (0 or 1) of channel j. */
static double fold(const layout *l, const float *sums, int which, int64_t j) {
    double sum = 0;
    for (int b = 0; b < BLOCKS; b++)
        for (int64_t i = j; i < l->width; i += l->channels)
            sum += sums[((int64_t)b * 2 + which) * l->width + i];
    return sum;
}

/* sums[0..width) of x - first, sums[width..) of its square, over some rows. */
static void sum_rows(int64_t rows, int64_t width, const float *x, const float *first,
                     float *restrict sum, float *restrict square) {
    for (int64_t i = 0; i < rows; i++) {
        const float *row = x + i * width;
#pragma omp simd
        for (int64_t j = 0; j < width; j++) {
            float d = row[j] - first[j];
            sum[j] += d;
            square[j] += d * d;
        }
    }
}

void dl_norm_statistics(int64_t rows, int64_t channels, const float *x, float *mean,
                        float *variance, void *scratch) {
    layout l = widen(rows, channels);
    float *sums = scratch, *first = sums + 2 * BLOCKS * l.width;
    repeat_channels(&l, x, first);
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        int64_t from = block_start(&l, b), count = block_start(&l, b + 1) - from;
        float *own = sums + (int64_t)b * 2 * l.width;
        dl_zero(own, 2 * l.width);
        sum_rows(count, l.width, x + from * l.width, first, own, own + l.width);
        if (b == BLOCKS - 1)
            sum_rows(l.rest, channels, x + l.rows * l.width, first, own, own + l.width);
    }
    for (int64_t j = 0; j < channels; j++) {
        double shifted = fold(&l, sums, 0, j) / (double)rows;
        double v = fold(&l, sums, 1, j) / (double)rows - shifted * shifted;
        mean[j] = (float)(x[j] + shifted);
        variance[j] = v > 0 || v != v ? (float)v : 0;
    }
}

static void apply_rows(bool relu, int64_t rows, int64_t width, const float *x, const float *factor,
                       const float *offset, float *y) {
    for (int64_t i = 0; i < rows * width; i += width) {
        if (relu) {
#pragma omp simd
            for (int64_t j = 0; j < width; j++) {
                float v = x[i + j] * factor[j] + offset[j];
                y[i + j] = v < 0 ? 0 : v;
            }
        } else {
#pragma omp simd
            for (int64_t j = 0; j < width; j++)
                y[i + j] = x[i + j] * factor[j] + offset[j];
        }
    }
}

void dl_norm_apply(const dl_norm *n) {
    layout l = widen(n->rows, n->channels);
    bool relu = n->activation->kind == DL_RELU;
    float *factors = n->scratch, *offsets = factors + l.width;
    repeat_channels(&l, n->scale, factors);
    if (n->shift)
        repeat_channels(&l, n->shift, offsets);
    else
        dl_zero(offsets, l.width);
    const float *x = n->x;
    float *y = n->y;
#pragma omp parallel for schedule(static) if (n->rows * n->channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        int64_t from = block_start(&l, b), at = from * l.width;
        apply_rows(relu, block_start(&l, b + 1) - from, l.width, x + at, factors, offsets, y + at);
    }
    int64_t at = l.rows * l.width;
    apply_rows(relu, l.rest, n->channels, x + at, factors, offsets, y + at);
    if (!relu)
        dl_activate(n->activation, n->rows, n->channels, NULL, y, y);
}

/* Sums of dz, and of dz (x - mean), over some rows; relu: dz = f'(y) dy is made in place first. */
static void sum_gradients(bool relu, int64_t rows, int64_t width, const float *x, const float *y,
                          const float *mean, float *dy, float *restrict sum,
                          float *restrict product) {
    for (int64_t i = 0; i < rows * width; i += width) {
        if (relu) {
#pragma omp simd
            for (int64_t j = 0; j < width; j++) {
                float g = y[i + j] > 0 ? dy[i + j] : 0;
                dy[i + j] = g;
                sum[j] += g;
                product[j] += g * (x[i + j] - mean[j]);
            }
        } else {
#pragma omp simd
            for (int64_t j = 0; j < width; j++) {
                sum[j] += dy[i + j];
                product[j] += dy[i + j] * (x[i + j] - mean[j]);
            }
        }
    }
}

/* dx = c dz - a x - b */
static void combine_rows(int64_t rows, int64_t width, const float *x, const float *dz,
                         const float *a, const float *b, const float *c, float *dx) {
    for (int64_t i = 0; i < rows * width; i += width)
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            dx[i + j] = c[j] * dz[i + j] - a[j] * x[i + j] - b[j];
}

static void sum_all_gradients(const dl_norm *n, const layout *l, const float *means, float *dy,
                              float *sums) {
    const dl_activation *f = n->activation;
    const float *x = n->x, *y = n->y;
    bool relu = f->kind == DL_RELU;
    if (f->kind != DL_LINEAR && !relu)
        dl_activate_backward(f, n->rows, l->channels, y, dy, dy, NULL);
#pragma omp parallel for schedule(static) if (n->rows * l->channels >= SMALL)
    for (int k = 0; k < BLOCKS; k++) {
        int64_t from = block_start(l, k), at = from * l->width;
        float *own = sums + (int64_t)k * 2 * l->width;
        dl_zero(own, 2 * l->width);
        sum_gradients(relu, block_start(l, k + 1) - from, l->width, x + at, y + at, means, dy + at,
                      own, own + l->width);
        at = l->rows * l->width;
        if (k == BLOCKS - 1)
            sum_gradients(relu, l->rest, l->channels, x + at, y + at, means, dy + at, own,
                          own + l->width);
    }
}

/* dx = c dz - a x - b, with the wide a, b and c contiguous in `numbers`. */
static void combine_all(const layout *l, const float *x, const float *dz, const float *numbers,
                        float *dx) {
    const float *a = numbers, *b = a + l->width, *c = b + l->width;
    int64_t size = l->rows * l->width + l->rest * l->channels, at = l->rows * l->width;
#pragma omp parallel for schedule(static) if (size >= SMALL)
    for (int k = 0; k < BLOCKS; k++) {
        int64_t from = block_start(l, k), first = from * l->width;
        combine_rows(block_start(l, k + 1) - from, l->width, x + first, dz + first, a, b, c,
                     dx + first);
    }
    combine_rows(l->rest, l->channels, x + at, dz + at, a, b, c, dx + at);
}

void dl_norm_backward(const dl_norm *n, const dl_norm_gradients *g) {
    layout l = widen(n->rows, n->channels);
    double rows = (double)n->rows;
    float *sums = n->scratch, *means = sums + 2 * BLOCKS * l.width;
    float *a = means + l.width, *b = a + l.width, *c = b + l.width;
    repeat_channels(&l, n->mean, means);
    sum_all_gradients(n, &l, means, g->dy, sums);
    for (int64_t j = 0; j < n->channels; j++) {
        double sum = fold(&l, sums, 0, j), product = fold(&l, sums, 1, j), inv = n->inverse[j];
        double factor = (n->scale ? n->scale[j] : 1) * inv;
        double slope = factor / rows * inv * inv * product;
        if (g->dscale)
            g->dscale[j] += (float)(product * inv);
        if (g->dshift)
            g->dshift[j] += (float)sum;
        a[j] = (float)slope;
        b[j] = (float)(factor / rows * sum - slope * n->mean[j]);
        c[j] = (float)factor;
    }
    if (!g->dx)
        return;
    for (int64_t j = n->channels; j < l.width; j++) {
        a[j] = a[j - n->channels];
        b[j] = b[j - n->channels];
        c[j] = c[j - n->channels];
    }
    combine_all(&l, n->x, g->dy, a, g->dx);
}

void dl_norm_apply_backward(const dl_norm *n, const dl_norm_gradients *g) {
    layout l = widen(n->rows, n->channels);
    float *sums = n->scratch, *means = sums + 2 * BLOCKS * l.width, *numbers = means + l.width;
    dl_zero(means, 3 * l.width); /* no mean, no a and no b */
    sum_all_gradients(n, &l, means, g->dy, sums);
    for (int64_t j = 0; j < n->channels; j++) {
        g->dscale[j] += (float)fold(&l, sums, 1, j);
        if (g->dshift)
            g->dshift[j] += (float)fold(&l, sums, 0, j);
    }
    if (!g->dx)
        return;
    repeat_channels(&l, n->scale, numbers + 2 * l.width);
    combine_all(&l, n->x, g->dy, numbers, g->dx);
}

/* ---- groups of channels of a sample ---- */

/* What a block of samples works with. */
typedef struct {
    double *total;    /* [2][channels]: a sample's sums */
    float *sums;      /* [2][width] */
    float *a, *b, *c; /* [width] each */
    float *partial;   /* [2][channels]: the gradients of scale and shift */
} workspace;

/* A single position is not repeated. */
static layout group_layout(const dl_norm_groups *g) {
    layout alone = {g->channels, g->channels, g->positions, 0};
    return g->positions == 1 ? alone : widen(g->positions, g->channels);
}

static size_t workspace_size(const layout *l) {
    size_t channels = (size_t)l->channels, width = (size_t)l->width;
    size_t bytes = sizeof(double) * 2 * channels + sizeof(float) * (5 * width + 2 * channels);
    return (bytes + 63) / 64 * 64;
}

static workspace workspace_of(const layout *l, int block, void *scratch) {
    workspace w = {.total = (double *)((char *)scratch + (size_t)block * workspace_size(l))};
    w.sums = (float *)(w.total + 2 * l->channels);
    w.a = w.sums + 2 * l->width;
    w.b = w.a + l->width;
    w.c = w.b + l->width;
    w.partial = w.c + l->width;
    return w;
}

size_t dl_group_norm_scratch(const dl_norm_groups *g) {
    layout l = group_layout(g);
    return BLOCKS * workspace_size(&l);
}

/* The first `channels` numbers, once more up to the width. */
static void repeat_first(const layout *l, float *numbers) {
    for (int64_t j = l->channels; j < l->width; j++)
        numbers[j] = numbers[j - l->channels];
}

/* Adds the wide sums to the totals. */
static void add_sums(const layout *l, const workspace *w) {
    for (int64_t i = 0; i < l->width; i += l->channels)
#pragma omp simd
        for (int64_t j = 0; j < l->channels; j++) {
            w->total[j] += w->sums[i + j];
            w->total[l->channels + j] += w->sums[l->width + i + j];
        }
}

static void clear_totals(const layout *l, const workspace *w) {
    for (int64_t j = 0; j < 2 * l->channels; j++)
        w->total[j] = 0;
}

enum { STRETCH = 256 }; /* wide rows that are summed in float, before double takes over */

/* total = the sums over the positions of x - a, and of its square, where a is the first
   position. */
static void sum_sample(const layout *l, const float *x, const workspace *w) {
    dl_copy(w->a, x, l->channels);
    repeat_first(l, w->a);
    clear_totals(l, w);
    for (int64_t i = 0; i <= l->rows; i += STRETCH) {
        bool last = l->rows - i < STRETCH;
        dl_zero(w->sums, 2 * l->width);
        sum_rows(last ? l->rows - i : STRETCH, l->width, x + i * l->width, w->a, w->sums,
                 w->sums + l->width);
        if (last)
            sum_rows(l->rest, l->channels, x + l->rows * l->width, w->a, w->sums,
                     w->sums + l->width);
        add_sums(l, w);
    }
}

/* total = the sums over the positions of dz, and of dz (x - a); relu: dz is made first. */
static void sum_sample_gradients(bool relu, const layout *l, const float *x, const float *y,
                                 float *dy, const workspace *w) {
    int64_t end = l->rows * l->width;
    clear_totals(l, w);
    for (int64_t i = 0; i <= l->rows; i += STRETCH) {
        bool last = l->rows - i < STRETCH;
        int64_t at = i * l->width;
        dl_zero(w->sums, 2 * l->width);
        sum_gradients(relu, last ? l->rows - i : STRETCH, l->width, x + at, y + at, w->a, dy + at,
                      w->sums, w->sums + l->width);
        if (last)
            sum_gradients(relu, l->rest, l->channels, x + end, y + end, w->a, dy + end, w->sums,
                          w->sums + l->width);
        add_sums(l, w);
    }
}

/* From the totals around the first position: with d = a - mean, the sum of (x - mean)^2 over the
   positions is that of (x - a)^2, plus 2 d times that of x - a, plus positions · d^2. */
static void group_statistics(const dl_norm_groups *g, double epsilon, const workspace *w,
                             float *mean, float *inverse) {
    int64_t each = g->channels / g->groups;
    double positions = (double)g->positions, count = positions * (double)each;
    for (int64_t k = 0; k < g->groups; k++) {
        const float *a = w->a + k * each;
        const double *sums = w->total + k * each, *squares = sums + g->channels;
        double sum = 0, square = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t j = 0; j < each; j++)
            sum += positions * a[j] + sums[j];
        double m = sum / count;
#pragma omp simd reduction(+ : square)
        for (int64_t j = 0; j < each; j++) {
            double d = a[j] - m;
            square += squares[j] + 2 * d * sums[j] + positions * d * d;
        }
        mean[k] = (float)m;
        inverse[k] = (float)(1 / sqrt((square < 0 ? 0 : square / count) + epsilon));
    }
}

void dl_group_norm_forward(const dl_norm_groups *g, double epsilon, const dl_norm *norm) {
    layout l = group_layout(g);
    const float *x = norm->x, *scale = norm->scale, *shift = norm->shift;
    float *y = norm->y;
    bool relu = norm->activation->kind == DL_RELU;
    int64_t size = g->positions * g->channels, each = g->channels / g->groups;
#pragma omp parallel for schedule(static) if (g->samples * size >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        workspace w = workspace_of(&l, b, norm->scratch);
        for (int64_t n = g->samples * b / BLOCKS; n < g->samples * (b + 1) / BLOCKS; n++) {
            float *m = norm->mean + n * g->groups, *inv = norm->inverse + n * g->groups;
            int64_t at = n * size, end = at + l.rows * l.width;
            sum_sample(&l, x + at, &w);
            group_statistics(g, epsilon, &w, m, inv);
            for (int64_t k = 0; k < g->groups; k++)
#pragma omp simd
                for (int64_t j = k * each; j < (k + 1) * each; j++) {
                    w.b[j] = inv[k] * (scale ? scale[j] : 1);
                    w.c[j] = (shift ? shift[j] : 0) - m[k] * w.b[j];
                }
            repeat_first(&l, w.b);
            repeat_first(&l, w.c);
            apply_rows(relu, l.rows, l.width, x + at, w.b, w.c, y + at);
            apply_rows(relu, l.rest, l.channels, x + end, w.b, w.c, y + end);
        }
    }
    if (!relu)
        dl_activate(norm->activation, g->samples * g->positions, g->channels, NULL, y, y);
}

/* From the totals to dx = c dz - a x - b, and to this sample's share of the parameters' gradients:
   with g = scale · dz and z = (x - mean) · inverse,
     dx = inverse · (g - average of g - z · average of g z)   (over the group)
     dscale = sum of dz z,  dshift = sum of dz                (over the positions) */
static void combine_sample(const dl_norm_groups *g, const float *scale, const float *mean,
                           const float *inverse, const workspace *w) {
    int64_t each = g->channels / g->groups;
    double count = (double)(g->positions * each);
    const double *sums = w->total, *products = w->total + g->channels;
    for (int64_t k = 0; k < g->groups; k++) {
        double inv = inverse[k], sum = 0, product = 0;
        int64_t first = k * each, last = first + each;
#pragma omp simd reduction(+ : sum, product)
        for (int64_t j = first; j < last; j++) {
            double s = scale ? scale[j] : 1;
            sum += s * sums[j];
            product += s * products[j];
        }
        double slope = inv * inv * inv * product / count;
        double level = inv * sum / count - slope * mean[k];
        for (int64_t j = first; j < last; j++) {
            w->partial[j] += (float)(inv * products[j]);
            w->partial[g->channels + j] += (float)sums[j];
            w->a[j] = (float)slope;
            w->b[j] = (float)level;
            w->c[j] = (float)(inv * (scale ? scale[j] : 1));
        }
    }
}

/* Sample n. */
static void backward_sample(const dl_norm_groups *g, const dl_norm *norm,
                            const dl_norm_gradients *d, int64_t n, const workspace *w) {
    layout l = group_layout(g);
    int64_t each = g->channels / g->groups, end = l.rows * l.width;
    int64_t at = n * g->positions * g->channels;
    const float *x = norm->x + at, *mean = norm->mean + n * g->groups;
    float *dy = d->dy + at;
    for (int64_t k = 0; k < g->groups; k++)
        for (int64_t j = k * each; j < (k + 1) * each; j++)
            w->a[j] = mean[k];
    repeat_first(&l, w->a);
    sum_sample_gradients(norm->activation->kind == DL_RELU, &l, x, norm->y + at, dy, w);
    combine_sample(g, norm->scale, mean, norm->inverse + n * g->groups, w);
    if (!d->dx)
        return;
    float *dx = d->dx + at;
    repeat_first(&l, w->a);
    repeat_first(&l, w->b);
    repeat_first(&l, w->c);
    combine_rows(l.rows, l.width, x, dy, w->a, w->b, w->c, dx);
    combine_rows(l.rest, l.channels, x + end, dy + end, w->a, w->b, w->c, dx + end);
}

void dl_group_norm_backward(const dl_norm_groups *g, const dl_norm *norm,
                            const dl_norm_gradients *d) {
    layout l = group_layout(g);
    const dl_activation *f = norm->activation;
    int64_t channels = g->channels, rows = g->samples * g->positions;
    if (f->kind != DL_LINEAR && f->kind != DL_RELU)
        dl_activate_backward(f, rows, channels, norm->y, d->dy, d->dy, NULL);
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        workspace w = workspace_of(&l, b, norm->scratch);
        dl_zero(w.partial, 2 * channels);
        for (int64_t n = g->samples * b / BLOCKS; n < g->samples * (b + 1) / BLOCKS; n++)
            backward_sample(g, norm, d, n, &w);
    }
    for (int64_t j = 0; j < channels; j++) {
        double factor = 0, offset = 0;
        for (int b = 0; b < BLOCKS; b++) {
            workspace w = workspace_of(&l, b, norm->scratch);
            factor += w.partial[j];
            offset += w.partial[channels + j];
        }
        if (d->dscale)
            d->dscale[j] += (float)factor;
        if (d->dshift)
            d->dshift[j] += (float)offset;
    }
}
