/* SPDX-License-Identifier: MIT */
#include "math/direct_plan.h"

/* ---- the plan ---- */

static void finish_grid(grid *g) {
    g->whole = g->channels % LANES == 0;
}

/* Few filters leave most of a vector idle: then adjacent pixels share one. Their windows' union
   has more taps than a window, so that it must be worth it. */
static int pixels_to_join(const dl_direct *d) {
    const dl_window *w = &d->window;
    int best = 1;
    double least = 0;
    for (int n = 1; n * d->filters <= STRIP; n++) {
        double run = (w->kernel[1] + (n - 1) * w->stride[1]) * (double)w->channels;
        double cost = run * (double)whole_vectors((int64_t)n * d->filters) / n;
        if (n == 1 || (w->out_width % n == 0 && cost < 0.9 * least)) {
            best = n;
            least = cost;
        }
    }
    return best;
}

static void plan_forward(dl_direct *d) {
    const dl_window *w = &d->window;
    const int out[2] = {w->out_height, w->out_width};
    for (int a = 0; a < 2; a++)
        d->tile[a] = (out[a] - 1) * w->stride[a] + w->kernel[a];
    d->padded = w->before[0] || w->before[1] || d->tile[0] > w->height || d->tile[1] > w->width;
    if (!d->padded) {
        d->tile[0] = w->height;
        d->tile[1] = w->width;
    }
    int64_t row = (int64_t)d->tile[1] * w->channels;
    int n = d->joined = pixels_to_join(d);
    d->forward = (grid){
        .window = {w->kernel[0], (w->kernel[1] + (n - 1) * w->stride[1]) * w->channels, row,
                   n * w->stride[1] * w->channels, n * d->filters},
        .height = w->out_height,
        .width = w->out_width / n,
        .channels = n * d->filters,
        .x_line = w->stride[0] * row,
        .out_line = (int64_t)w->out_width * d->filters,
    };
    finish_grid(&d->forward);
    d->taps = (int64_t)d->forward.window.rows * d->forward.window.run;
}

/* Along one axis: pixel s·q + p of dx gets dz[q + shift + m] times tap first + s·(taps - 1 - m),
   for m from 0 to taps - 1. */
typedef struct {
    int first, taps, shift, count;
} axis_phase;

static axis_phase phase_of(const dl_window *w, int axis, int p) {
    const int size = axis ? w->width : w->height, stride = w->stride[axis];
    axis_phase phase = {.first = (p + w->before[axis]) % stride};
    if (phase.first < w->kernel[axis])
        phase.taps = (w->kernel[axis] - phase.first + stride - 1) / stride;
    phase.shift = (p + w->before[axis]) / stride - (phase.taps - 1);
    phase.count = (size - p + stride - 1) / stride;
    return phase;
}

/* How far the phases reach beyond dz. */
static void plan_margins(dl_direct *d) {
    const dl_window *w = &d->window;
    const int out[2] = {w->out_height, w->out_width};
    for (int a = 0; a < 2; a++) {
        int before = 0, after = 0;
        for (int p = 0; p < w->stride[a]; p++) {
            axis_phase phase = phase_of(w, a, p);
            int last = phase.count - 1 + phase.shift + phase.taps - 1;
            before = -phase.shift > before ? -phase.shift : before;
            after = last - (out[a] - 1) > after ? last - (out[a] - 1) : after;
        }
        d->margin[a] = before;
        d->z_tile[a] = before + out[a] + after;
    }
}

static void plan_backward(dl_direct *d) {
    const dl_window *w = &d->window;
    plan_margins(d);
    int64_t row = (int64_t)d->z_tile[1] * d->filters, weights = 0;
    for (int py = 0; py < w->stride[0]; py++)
        for (int px = 0; px < w->stride[1]; px++) {
            axis_phase v = phase_of(w, 0, py), h = phase_of(w, 1, px);
            grid *g = &d->phase[d->phases++];
            *g = (grid){
                .window = {v.taps, h.taps * d->filters, row, d->filters,
                           w->stride[1] * w->channels},
                .height = v.count,
                .width = h.count,
                .channels = w->channels,
                .x_line = row,
                .out_line = (int64_t)w->stride[0] * w->width * w->channels,
                .weights = weights,
                .x_first =
                    (d->margin[0] + v.shift) * row + (int64_t)(d->margin[1] + h.shift) * d->filters,
                .out_first = ((int64_t)py * w->width + px) * w->channels,
            };
            finish_grid(g);
            weights += (int64_t)v.taps * h.taps * d->filters * whole_vectors(w->channels);
        }
}

/* With few channels most of a vector would be idle: then a pixel of dx's line gets what the windows
   above and below it give to it and to its neighbors, a row of kernel width x channels numbers.
   Neighbours' rows overlap: they go to different copies of the line, so that no addition waits for
   the last one. */
static void plan_spread(dl_direct *d) {
    const dl_window *w = &d->window;
    int64_t run = (int64_t)w->kernel[1] * w->channels, step = (int64_t)w->stride[1] * w->channels;
    double used = (double)w->channels / (double)whole_vectors(w->channels);
    if ((double)run / (double)whole_vectors(run) < 1.5 * used || w->stride[0] > 1)
        return;
    int64_t row = (int64_t)d->z_tile[1] * d->filters;
    int above = d->margin[0] + phase_of(w, 0, 0).shift;
    d->copies = (int)((whole_vectors(run) + step - 1) / step);
    d->spread = (grid){
        .window = {w->kernel[0], d->filters, row, d->filters, whole_vectors(run)},
        .height = w->height,
        .width = w->out_width,
        .channels = (int)run,
        .x_line = row,
        .whole = true, /* as far as its target goes */
        .x_first = above * row + (int64_t)d->margin[1] * d->filters,
    };
}

int64_t direct_copy_size(const dl_direct *d) {
    const dl_window *w = &d->window;
    int windows = (w->out_width - 1) * w->stride[1] + w->kernel[1], image = w->before[1] + w->width;
    return whole_vectors((int64_t)(windows > image ? windows : image) * w->channels) + STRIP;
}

int64_t direct_line_size(const grid *g) {
    return (g->channels <= STRIP ? whole_vectors((int64_t)g->width * g->channels)
                                 : g->width * whole_vectors(g->channels)) +
           LANES;
}

/* Working memory for the lines of a grid. */
static int64_t lines_size(const grid *g) {
    return g->whole ? 0 : direct_line_size(g) * (g->channels <= STRIP ? 2 : g->height);
}

static void plan_scratch(dl_direct *d) {
    const dl_window *w = &d->window;
    int64_t channels = whole_vectors(d->forward.channels), inputs = whole_vectors(w->channels);
    int64_t most = channels > inputs ? channels : inputs;
    d->packed = d->taps * channels;
    int64_t back = (int64_t)w->kernel[0] * w->kernel[1] * d->filters * inputs;
    if (d->copies)
        back = (int64_t)w->kernel[0] * d->filters * whole_vectors(d->spread.channels);
    if (d->training && back > d->packed)
        d->packed = back;
    d->bias = d->copies ? most + whole_vectors(d->spread.channels) : most;
    d->x_tile = d->padded ? whole_vectors((int64_t)d->tile[0] * d->tile[1] * w->channels) : 0;
    d->out_tile = lines_size(&d->forward);
    if (d->training) {
        int64_t spread = w->out_width * d->spread.window.out_step + d->copies * direct_copy_size(d);
        for (int p = 0; p < d->phases; p++)
            if (lines_size(&d->phase[p]) > d->out_tile)
                d->out_tile = lines_size(&d->phase[p]);
        d->out_tile = spread > d->out_tile ? spread : d->out_tile;
        d->z_size = whole_vectors((int64_t)d->z_tile[0] * d->z_tile[1] * d->filters + LANES);
        d->sums = d->taps * channels;
        d->row_sums = whole_vectors((int64_t)w->out_width * d->filters);
    }
    d->per_thread = d->x_tile + d->z_size + d->out_tile + d->sums + d->row_sums;
}

void direct_plan(dl_direct *d) {
    plan_forward(d);
    if (d->training) {
        plan_backward(d);
        plan_spread(d);
    }
    plan_scratch(d);
}

/* ---- packing ---- */

static void pack_joined(const dl_direct *d, const float *weight, float *packed) {
    const grid *g = &d->forward;
    int64_t step = (int64_t)d->window.stride[1] * d->window.channels;
    int64_t run = (int64_t)d->window.kernel[1] * d->window.channels;
    int width = strip_width(g->channels, 0);
    for (int ky = 0; ky < g->window.rows; ky++, weight += run * d->filters)
        for (int64_t i = 0; i < g->window.run; i++, packed += width)
            for (int c = 0; c < width; c++) {
                int64_t tap = i - c / d->filters * step;
                bool inside = c < g->channels && tap >= 0 && tap < run;
                packed[c] = inside ? weight[tap * d->filters + c % d->filters] : 0;
            }
}

void direct_pack_forward(const dl_direct *d, const float *weight, float *packed) {
    if (d->joined > 1) {
        pack_joined(d, weight, packed);
        return;
    }
    for (int first = 0; first < d->filters; first += STRIP) {
        int width = strip_width(d->filters, first);
        int many = d->filters - first < width ? d->filters - first : width;
        for (int64_t tap = 0; tap < d->taps; tap++, packed += width)
            for (int c = 0; c < width; c++)
                packed[c] = c < many ? weight[tap * d->filters + first + c] : 0;
    }
}

/* One phase: packed[strip][my][mx][filter][strip's channels] = weight[ky][kx][channel][filter]. */
static void pack_phase(const dl_direct *d, const grid *g, int py, int px, const float *weight,
                       float *packed) {
    const dl_window *w = &d->window;
    axis_phase v = phase_of(w, 0, py), h = phase_of(w, 1, px);
    packed += g->weights;
    for (int first = 0; first < w->channels; first += STRIP) {
        int width = strip_width(w->channels, first);
        int many = w->channels - first < width ? w->channels - first : width;
        for (int m = 0; m < v.taps * h.taps; m++, packed += (int64_t)d->filters * width) {
            int ky = v.first + w->stride[0] * (v.taps - 1 - m / h.taps);
            int kx = h.first + w->stride[1] * (h.taps - 1 - m % h.taps);
            const float *tap =
                weight + (((int64_t)ky * w->kernel[1] + kx) * w->channels + first) * d->filters;
            for (int f = 0; f < d->filters; f++)
                for (int c = 0; c < width; c++)
                    packed[f * width + c] = c < many ? tap[(int64_t)c * d->filters + f] : 0;
        }
    }
}

/* packed[strip][m][filter][strip's part of the row of taps] = weight[last ky -
 *
   m][kx][channel][filter] */
static void pack_spread(const dl_direct *d, const float *weight, float *packed) {
    int run = d->spread.channels, rows = d->window.kernel[0];
    for (int first = 0; first < run; first += STRIP) {
        int width = strip_width(run, first);
        for (int m = 0; m < rows; m++) {
            const float *row = weight + (int64_t)(rows - 1 - m) * run * d->filters;
            for (int f = 0; f < d->filters; f++, packed += width)
                for (int i = 0; i < width; i++)
                    packed[i] = first + i < run ? row[(int64_t)(first + i) * d->filters + f] : 0;
        }
    }
}

void direct_pack_backward(const dl_direct *d, const float *weight, float *packed) {
    if (d->copies) {
        pack_spread(d, weight, packed);
        return;
    }
#pragma omp parallel for schedule(static) if (d->phases > 1)
    for (int p = 0; p < d->phases; p++)
        pack_phase(d, &d->phase[p], p / d->window.stride[1], p % d->window.stride[1], weight,
                   packed);
}
