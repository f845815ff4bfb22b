/* SPDX-License-Identifier: MIT */
#include "math/direct.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "math/direct_plan.h"
#include "math/threads.h"
#include "math/vector.h"

/* Limit on the bytes of an image and its output. Above 512 KB they exceed a core's L1 and L2
   caches, and this was still measured to be as fast or faster (ResNet-18, VGG-16, U-Net; by a
   fifth with OpenBLAS alone); larger ones were not measured. */
enum { MOST_BYTES = 4 << 20 };

dl_direct *dl_direct_new(const dl_window *w, int filters, const dl_activation *activation,
                         bool training, int threads) {
    int64_t in = (int64_t)w->height * w->width * w->channels;
    int64_t out = (int64_t)w->out_height * w->out_width * filters;
    if (dl_activation_of(activation)->over_channels || w->stride[0] * w->stride[1] > MOST_PHASES ||
        (in + out) * (int64_t)sizeof(float) > MOST_BYTES)
        return NULL;
    dl_direct *d = xcalloc(1, sizeof *d);
    d->window = *w;
    d->filters = filters;
    d->activation = *activation;
    d->training = training;
    d->threads = threads;
    direct_plan(d);
    return d;
}

void dl_direct_free(dl_direct *d) {
    if (d)
        free(d->frozen);
    free(d);
}

size_t dl_direct_scratch(const dl_direct *d) {
    return sizeof(float) * (size_t)(d->packed + d->bias + d->threads * d->per_thread);
}

/* ---- sums over the taps ---- */

/* The thread's next image, prefetched while it works on this one: a share with each of `lines`
   lines. */
typedef struct {
    const float *from[3];
    int64_t floats[3];
    int line, lines; /* shares prefetched so far, and in all; 0: none */
} upcoming;

static void prefetch_share(upcoming *next) {
    for (int k = 0; k < 3 && next->line < next->lines; k++) {
        int64_t share = (next->floats[k] + next->lines - 1) / next->lines, at = next->line * share;
        int64_t end = at + share < next->floats[k] ? at + share : next->floats[k];
        for (; at < end; at += 64 / (int64_t)sizeof(float))
            __builtin_prefetch(next->from[k] + at, 0, 2);
    }
    next->line++;
}

/* Pixels of a line that are summed at a time: between GOOD and the number that fits the registers,
   so that the fewest are computed twice. */
static int pixels_at_once(int width, int most) {
    enum { GOOD = 8 };
    int best = 0, least = 0;
    for (int parts = (width + most - 1) / most; !best || width / parts >= GOOD; parts++) {
        int many = (width + parts - 1) / parts;
        if (!best || parts * many < least) {
            best = many;
            least = parts * many;
        }
    }
    return best;
}

/* Lines [from, to) of a grid. */
static void sum_lines(const grid *g, int from, int to, const float *x, const float *packed,
                      const float *bias, float *out, int64_t out_line, upcoming *next) {
    for (int first = 0; first < g->channels; first += STRIP) {
        int width = strip_width(g->channels, first), vectors = width / LANES;
        bool pairs = vectors == 1 && g->x_line == g->window.x_row && g->window.rows > 1;
        int many = pixels_at_once(g->width, direct_most_pixels(pairs ? 2 : vectors));
        int parts = (g->width + many - 1) / many;
        for (int line = from, lines; line < to; line += lines) {
            lines = pairs && line + 1 < to ? 2 : 1;
            for (int l = 0; first == 0 && l < lines; l++)
                prefetch_share(next);
            for (int part = 0; part < parts; part++) { /* the last one may overlap with another */
                int at = part * many + many <= g->width ? part * many : g->width - many;
                const float *image = x + line * g->x_line + at * g->window.x_step;
                float *target = out + (line - from) * out_line + at * g->window.out_step + first;
                if (lines == 2)
                    direct_sum_taps_pair(&g->window, many, image, packed, bias + first, target,
                                         out_line);
                else
                    direct_sum_taps(&g->window, many, vectors, image, packed, bias + first, target);
            }
        }
        packed += (int64_t)g->window.rows * g->window.run * width;
    }
}

/* Copies `lines` lines from `tile` to the output, through f if it is not NULL. */
static void finish_lines(const grid *g, const dl_activation *f, int lines, int64_t step,
                         const float *tile, float *out) {
    int64_t floats = (int64_t)g->width * g->channels;
    for (int y = 0; y < lines; y++, tile += direct_line_size(g), out += g->out_line) {
        bool dense = step == g->window.out_step;
        for (int64_t i = 0; !dense && i < g->width; i++)
            memcpy(out + i * g->window.out_step, tile + i * step,
                   sizeof *tile * (size_t)g->channels);
        if (f)
            dl_activate_row(f, floats, NULL, dense ? tile : out, out);
        else if (dense)
            memcpy(out, tile, sizeof *tile * (size_t)floats);
    }
}

/* Lines [from, to) of a grid, through f if it is not NULL: then pixels and lines of `out` follow
   each other. Where the channels are no whole vectors the lines go into `tile` first. There one
   pixel's surplus is overwritten by the next one, if there is one strip; else pixels are whole
   vectors apart. With one strip a few lines are finished while they are in the first cache. */
static void sum_grid(const grid *g, const dl_activation *f, int from, int to, const float *x,
                     const float *packed, const float *bias, float *out, float *tile,
                     upcoming *next) {
    bool one_strip = g->channels <= STRIP;
    int at_once = one_strip ? 2 : to - from;
    grid own = *g;
    own.window.out_step = one_strip ? g->channels : whole_vectors(g->channels);
    for (int y = from; y < to; y += at_once) {
        int end = y + at_once < to ? y + at_once : to;
        float *lines = out + y * g->out_line;
        if (g->whole) {
            sum_lines(g, y, end, x, packed, bias, lines, g->out_line, next);
            if (f)
                dl_activate_row(f, (end - y) * g->out_line, NULL, lines, lines);
        } else {
            sum_lines(&own, y, end, x, packed, bias, tile, direct_line_size(g), next);
            finish_lines(g, f, end - y, own.window.out_step, tile, lines);
        }
    }
}

/* ---- the passes ---- */

/* Rows [from, to) of the padded image; what is outside the image stays zero. */
static void pad_rows(const dl_direct *d, const float *image, int from, int to, float *tile) {
    const dl_window *w = &d->window;
    int right = d->tile[1] - w->before[1];
    size_t bytes =
        sizeof *tile * (size_t)(right < w->width ? right : w->width) * (size_t)w->channels;
    for (int row = from; row < to; row++) {
        int y = row - w->before[0];
        if (y >= 0 && y < w->height)
            memcpy(tile + ((int64_t)row * d->tile[1] + w->before[1]) * w->channels,
                   image + (int64_t)y * w->width * w->channels, bytes);
    }
}

static float *own_memory(const dl_direct *d, void *scratch) {
    return (float *)scratch + d->packed + d->bias + dl_thread_number() * d->per_thread;
}

static const float *packed_forward(dl_direct *d, const float *weight, float *scratch) {
    if (d->training) {
        direct_pack_forward(d, weight, scratch);
        return scratch;
    }
    if (!d->frozen) {
        d->frozen = dl_memory_aligned(sizeof(float) * (size_t)d->packed);
        direct_pack_forward(d, weight, d->frozen);
    }
    return d->frozen;
}

void dl_direct_forward(dl_direct *d, int batch, const float *x, const float *weight,
                       const float *bias, float *y, void *scratch) {
    const dl_window *w = &d->window;
    const grid *g = &d->forward;
    const dl_activation *f = d->activation.kind == DL_LINEAR ? NULL : &d->activation;
    const float *packed = packed_forward(d, weight, scratch);
    float *offsets = (float *)scratch + d->packed;
    for (int64_t c = 0; c < d->bias; c++)
        offsets[c] = bias && c < g->channels ? bias[c % d->filters] : 0;
    /* a small batch's images are split, so that every thread has work */
    int parts = batch >= 4 * d->threads ? 1 : (4 * d->threads + batch - 1) / batch;
    parts = d->threads == 1 ? 1 : parts < g->height ? parts : g->height;
    int64_t in = (int64_t)w->height * w->width * w->channels, out = g->out_line * g->height;
#pragma omp parallel
    {
        float *tile = own_memory(d, scratch), *out_tile = tile + d->x_tile + d->z_size;
        dl_zero(tile, d->x_tile);
#pragma omp for schedule(dynamic, 4)
        for (int unit = 0; unit < batch * parts; unit++) {
            int n = unit / parts, part = unit % parts;
            int from = g->height * part / parts, to = g->height * (part + 1) / parts;
            const float *image = x + n * in;
            if (d->padded) {
                pad_rows(d, image, from * w->stride[0], (to - 1) * w->stride[0] + w->kernel[0],
                         tile);
                image = tile;
            }
            bool more = n + 1 < batch && part == parts - 1;
            upcoming next = {{x + (n + 1) * in}, {in}, 0, more ? to - from : 0};
            sum_grid(g, f, from, to, image, packed, offsets, y + n * out, out_tile, &next);
        }
    }
}

/* dz = f'(y) dy into its tile, and its sums over the lines. */
static void derive_image(const dl_direct *d, const float *y, const float *dy, float *tile,
                         float *row_sums) {
    int64_t line = (int64_t)d->window.out_width * d->filters;
    float *dz = tile + ((int64_t)d->margin[0] * d->z_tile[1] + d->margin[1]) * d->filters;
    for (int row = 0; row < d->window.out_height; row++, y += line, dy += line) {
        dl_activate_backward_row(&d->activation, line, y, dy, dz);
#pragma omp simd
        for (int64_t i = 0; i < line; i++)
            row_sums[i] += dz[i];
        dz += (int64_t)d->z_tile[1] * d->filters;
    }
}

static void add_weight_sums(const dl_direct *d, const float *image, const float *tile,
                            float *sums) {
    const grid *g = &d->forward;
    const float *dz = tile + ((int64_t)d->margin[0] * d->z_tile[1] + d->margin[1]) * d->filters;
    direct_image shape = {g->height,  g->width,         g->window.x_row,
                          g->x_line,  g->window.x_step, (int64_t)d->z_tile[1] * d->filters,
                          g->channels};
    for (int first = 0; first < g->channels; first += STRIP) {
        int width = strip_width(g->channels, first);
        direct_sum_windows(&shape, g->window.rows, g->window.run, width / LANES, image, dz + first,
                           sums);
        sums += d->taps * width;
    }
}

/* The threads' sums, in the threads' order; of joined pixels each has its own part of the taps. */
static void gather_joined(const dl_direct *d, int team, float beta, float *dweight,
                          const float *sums) {
    const grid *g = &d->forward;
    int64_t step = (int64_t)d->window.stride[1] * d->window.channels;
    int64_t run = (int64_t)d->window.kernel[1] * d->window.channels;
    int width = strip_width(g->channels, 0);
    for (int ky = 0; ky < g->window.rows; ky++, sums += g->window.run * width)
        for (int64_t tap = 0; tap < run; tap++)
            for (int f = 0; f < d->filters; f++, dweight++) {
                float sum = 0;
                for (int t = 0; t < team; t++)
                    for (int q = 0; q < d->joined; q++)
                        sum +=
                            sums[t * d->per_thread + (tap + q * step) * width + q * d->filters + f];
                *dweight = sum + (beta == 0 ? 0 : beta * *dweight);
            }
}

static void gather_weights(const dl_direct *d, int team, float beta, float *dweight,
                           const float *sums) {
    if (d->joined > 1) {
        gather_joined(d, team, beta, dweight, sums);
        return;
    }
#pragma omp parallel for schedule(static) if (d->taps * d->filters > 1 << 14)
    for (int64_t tap = 0; tap < d->taps; tap++)
        for (int first = 0; first < d->filters; first += STRIP) {
            int width = strip_width(d->filters, first);
            int many = d->filters - first < width ? d->filters - first : width;
            float *target = dweight + tap * d->filters + first;
            const float *from = sums + d->taps * first + tap * width;
            for (int c = 0; c < many; c++) {
                float sum = 0;
                for (int t = 0; t < team; t++)
                    sum += from[t * d->per_thread + c];
                target[c] = sum + (beta == 0 ? 0 : beta * target[c]);
            }
        }
}

static void gather_bias(const dl_direct *d, int team, float *dbias, const float *row_sums) {
    for (int f = 0; f < d->filters; f++) {
        double sum = 0;
        for (int t = 0; t < team; t++)
            for (int x = 0; x < d->window.out_width; x++)
                sum += row_sums[t * d->per_thread + (int64_t)x * d->filters + f];
        dbias[f] += (float)sum;
    }
}

/* dx of one image by spreading. memory: a line of rows, then the copies of a line of dx. */
static void spread_image(const dl_direct *d, const float *dz, const float *packed,
                         const float *zeros, float *dx, float *memory, upcoming *next) {
    const dl_window *w = &d->window;
    const grid *g = &d->spread;
    int64_t step = (int64_t)w->stride[1] * w->channels, many = (int64_t)w->width * w->channels;
    int64_t wide = g->window.out_step, size = direct_copy_size(d);
    float *rows = memory, *copies = memory + g->width * wide;
    const float *line = copies + (int64_t)w->before[1] * w->channels;
    for (int y = 0; y < g->height; y++, dx += many) {
        sum_lines(g, y, y + 1, dz, packed, zeros, rows, 0, next);
        dl_zero(copies, d->copies * size);
        for (int x = 0, copy = 0; x < g->width; x++) {
            float *to = copies + copy * size + x * step;
#pragma omp simd
            for (int64_t i = 0; i < wide; i++)
                to[i] += rows[x * wide + i];
            copy = copy + 1 < d->copies ? copy + 1 : 0;
        }
        for (int c = 1; c < d->copies; c++)
#pragma omp simd
            for (int64_t i = 0; i < size; i++)
                copies[i] += copies[c * size + i];
        memcpy(dx, line, sizeof *dx * (size_t)many);
    }
}

void dl_direct_backward(dl_direct *d, int batch, const float *x, const float *y, const float *dy,
                        const float *weight, float *dx, float beta, float *dweight, float *dbias,
                        void *scratch) {
    const dl_window *w = &d->window;
    int64_t in = (int64_t)w->height * w->width * w->channels;
    int64_t out = d->forward.out_line * d->forward.height;
    float *packed = scratch, *zeros = packed + d->packed, *first = zeros + d->bias;
    int team = 1;
    if (dx)
        direct_pack_backward(d, weight, packed);
    dl_zero(zeros, d->bias);
#pragma omp parallel
    {
        float *tile = own_memory(d, scratch), *z_tile = tile + d->x_tile;
        float *out_tile = z_tile + d->z_size, *sums = out_tile + d->out_tile;
        dl_zero(tile, d->per_thread);
#pragma omp single
        team = dl_threads_in_team();
#pragma omp for schedule(static)
        for (int n = 0; n < batch; n++) {
            const float *image = x + n * in;
            derive_image(d, y + n * out, dy + n * out, z_tile, sums + d->sums);
            if (d->padded) {
                pad_rows(d, image, 0, d->tile[0], tile);
                image = tile;
            }
            add_weight_sums(d, image, z_tile, sums);
            upcoming next = {{x + (n + 1) * in, y + (n + 1) * out, dy + (n + 1) * out},
                             {in, out, out},
                             0,
                             n + 1 < batch ? d->phase[0].height : 0};
            if (dx && d->copies)
                spread_image(d, z_tile + d->spread.x_first, packed, zeros, dx + n * in, out_tile,
                             &next);
            for (int p = 0; dx && !d->copies && p < d->phases; p++) {
                const grid *g = &d->phase[p];
                if (g->width) /* none: the image is narrower than the stride */
                    sum_grid(g, NULL, 0, g->height, z_tile + g->x_first, packed + g->weights, zeros,
                             dx + n * in + g->out_first, out_tile, &next);
            }
        }
    }
    first += d->x_tile + d->z_size + d->out_tile;
    gather_weights(d, team, beta, dweight, first);
    if (dbias)
        gather_bias(d, team, dbias, first + d->sums);
}
