/* SPDX-License-Identifier: MIT */
#include "math/conv.h"

#include <stdbool.h>
#include <string.h>

#include "math/backend.h"
#include "math/direct.h"
#include "math/gemm.h"
#include "math/onednn.h"
#include "math/threads.h"
#include "math/vector.h"

enum { TILE_BYTES = 256 * 1024 };

static int groups(const dl_conv *c) {
    return c->groups ? c->groups : 1;
}

/* Weights of a filter. */
static int64_t depth(const dl_conv *c) {
    return (int64_t)c->window.kernel[0] * c->window.kernel[1] * (c->window.channels / groups(c));
}

static int64_t in_size(const dl_conv *c) {
    return (int64_t)c->window.height * c->window.width * c->window.channels;
}

static int64_t out_size(const dl_conv *c) {
    return (int64_t)c->window.out_height * c->window.out_width * c->filters;
}

/* A 1x1 window on every pixel: the image is already unfolded. */
static bool is_pointwise(const dl_conv *c) {
    const dl_window *w = &c->window;
    return w->kernel[0] == 1 && w->kernel[1] == 1 && w->stride[0] == 1 && w->stride[1] == 1 &&
           groups(c) == 1;
}

/* Measured: oneDNN's backward kernels are faster for whole vectors of channels while the batch's
   tensors stay in the last-level cache between its passes, and its forward kernels for many
   channels. The direct kernels are faster everywhere else. */
enum { MANY_WEIGHTS = 64 * 64, VECTOR = 16, LAST_CACHE = 32 << 20 };

static void choose(dl_conv *c, int batch) {
    const dl_window *w = &c->window;
    c->onednn_forward = c->onednn_backward = false;
    bool plain = groups(c) == 1 && w->dilation[0] == 1 && w->dilation[1] == 1;
    if (is_pointwise(c))
        return;
    dl_backend backend = dl_backend_get();
    if (backend != DL_BACKEND_ONEDNN && plain && !c->separate)
        c->direct = dl_direct_new(w, c->filters, &c->activation, c->training, c->threads);
    bool vectors = w->channels % VECTOR == 0 && c->filters % VECTOR == 0;
    int64_t tensors = 2 * batch * (in_size(c) + out_size(c)) * (int64_t)sizeof(float);
    bool few = batch < 4 * c->threads; /* images: their lines must be shared */
    bool forward = !c->direct || (vectors && (few || w->channels * c->filters >= MANY_WEIGHTS));
    bool backward = !c->direct || (c->training && vectors && tensors <= LAST_CACHE);
    bool bf16 = c->training && vectors && dl_backend_get_bf16();
    forward = forward || bf16;
    backward = backward || bf16;
    if (backend == DL_BACKEND_OPENBLAS || groups(c) > 1 || !(forward || backward))
        return;
    bool relu = c->activation.kind == DL_RELU;
    c->onednn = dl_onednn_conv_new(w, c->filters, batch, c->bias, relu, c->training, bf16);
    c->onednn_forward = c->onednn && forward;
    c->onednn_backward = c->onednn && backward;
}

void dl_conv_plan(dl_conv *c, int batch, int threads) {
    int64_t row = depth(c) * c->window.out_width * (int64_t)sizeof(float);
    int64_t rows = TILE_BYTES / row;
    c->tile = rows < 1 ? 1 : rows > c->window.out_height ? c->window.out_height : (int)rows;
    c->threads = threads;
    choose(c, batch);
}

void dl_conv_free(dl_conv *c) {
    dl_direct_free(c->direct);
    dl_onednn_conv_free(c->onednn);
    c->direct = NULL;
    c->onednn = NULL;
}

static int64_t tile_floats(const dl_conv *c) {
    int64_t count = depth(c) * c->window.out_width * c->tile;
    return (count + 15) / 16 * 16;
}

static int64_t weight_floats(const dl_conv *c) {
    return (depth(c) * c->filters + 15) / 16 * 16;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Enough for every method: where oneDNN refuses a batch, another one takes over. */
size_t dl_conv_scratch(const dl_conv *c) {
    int64_t weights = c->threads > 1 ? weight_floats(c) : 0;
    size_t tiles = (size_t)c->threads * (size_t)(tile_floats(c) + weights) * sizeof(float);
    size_t direct = c->direct ? dl_direct_scratch(c->direct) : 0;
    size_t ordered = c->onednn ? dl_onednn_conv_scratch(c->onednn) : 0;
    return larger(tiles, larger(direct, ordered));
}

static float *thread_scratch(const dl_conv *c, void *scratch) {
    int64_t weights = c->threads > 1 ? weight_floats(c) : 0;
    return (float *)scratch + dl_thread_number() * (tile_floats(c) + weights);
}

/* The part of row `ky` of the window at (oy, ox) that is inside the image, as taps [from, to).
   Where all channels are wanted and taps are adjacent, the pixels follow each other. */
typedef struct {
    int y, left, from, to; /* left: of tap 0 */
} row_part;

static row_part part_of(const dl_window *w, int oy, int ox, int ky) {
    int step = w->dilation[1], left = ox * w->stride[1] - w->before[1];
    row_part p = {.y = oy * w->stride[0] - w->before[0] + ky * w->dilation[0], .left = left};
    p.from = left < 0 ? (-left + step - 1) / step : 0;
    p.to = left >= w->width ? 0 : (w->width - left + step - 1) / step;
    p.to = p.to < w->kernel[1] ? p.to : w->kernel[1];
    if (p.y < 0 || p.y >= w->height || p.to < p.from)
        p.to = p.from = 0;
    return p;
}

static int64_t pixel_at(const dl_window *w, const row_part *p, int kx) {
    return ((int64_t)p->y * w->width + p->left + (int64_t)kx * w->dilation[1]) * w->channels;
}

/* columns[row - first][ox][kh][kw][c] = the pixels under the window, zero outside the image;
   `channels` of them from `channel` on. */
static void unfold(const dl_window *w, const float *image, int first, int last, int channel,
                   int channels, float *columns) {
    bool run = channels == w->channels && w->dilation[1] == 1;
    for (int oy = first; oy < last; oy++)
        for (int ox = 0; ox < w->out_width; ox++)
            for (int ky = 0; ky < w->kernel[0]; ky++) {
                row_part p = part_of(w, oy, ox, ky);
                int64_t head = (int64_t)p.from * channels, body = (int64_t)p.to * channels;
                int64_t span = (int64_t)w->kernel[1] * channels;
                for (int64_t i = 0; i < head; i++)
                    columns[i] = 0;
                const float *source = image + pixel_at(w, &p, p.from) + channel;
                for (int64_t i = head; run && i < body; i++)
                    columns[i] = source[i - head];
                for (int kx = p.from; !run && kx < p.to; kx++)
                    for (int c = 0; c < channels; c++)
                        columns[kx * channels + c] = image[pixel_at(w, &p, kx) + channel + c];
                for (int64_t i = body; i < span; i++)
                    columns[i] = 0;
                columns += span;
            }
}

/* image += the columns folded back. */
static void fold(const dl_window *w, const float *columns, int first, int last, int channel,
                 int channels, float *image) {
    bool run = channels == w->channels && w->dilation[1] == 1;
    for (int oy = first; oy < last; oy++)
        for (int ox = 0; ox < w->out_width; ox++)
            for (int ky = 0; ky < w->kernel[0]; ky++) {
                row_part p = part_of(w, oy, ox, ky);
                int64_t head = (int64_t)p.from * channels, body = (int64_t)p.to * channels;
                float *target = image + pixel_at(w, &p, p.from) + channel;
                for (int64_t i = head; run && i < body; i++)
                    target[i - head] += columns[i];
                for (int kx = p.from; !run && kx < p.to; kx++)
                    for (int c = 0; c < channels; c++)
                        image[pixel_at(w, &p, kx) + channel + c] += columns[kx * channels + c];
                columns += (int64_t)w->kernel[1] * channels;
            }
}

static int tile_end(const dl_conv *c, int row) {
    return row + c->tile < c->window.out_height ? row + c->tile : c->window.out_height;
}

/* ---- the three passes by tiles ---- */

static void forward_tiles(const dl_conv *c, int batch, const float *x, const float *weight,
                          const float *bias, float *y, void *scratch) {
    const dl_window *w = &c->window;
    const int own = w->channels / groups(c), many = c->filters / groups(c); /* a group's */
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *columns = thread_scratch(c, scratch);
        for (int row = 0; row < w->out_height; row = tile_end(c, row)) {
            int64_t pixels = (int64_t)(tile_end(c, row) - row) * w->out_width;
            float *out = y + n * out_size(c) + (int64_t)row * w->out_width * c->filters;
            for (int g = 0; g < groups(c); g++) {
                unfold(w, x + n * in_size(c), row, tile_end(c, row), g * own, own, columns);
                dl_gemm_part(false, false, pixels, many, depth(c), columns, depth(c),
                             weight + g * many, c->filters, 0, out + g * many, c->filters);
            }
            dl_activate(&c->activation, pixels, c->filters, bias, out, out);
        }
    }
}

static void backward_data_tiles(const dl_conv *c, int batch, const float *dy, const float *weight,
                                float *dx, void *scratch) {
    const dl_window *w = &c->window;
    const int own = w->channels / groups(c), many = c->filters / groups(c); /* a group's */
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *columns = thread_scratch(c, scratch), *image = dx + n * in_size(c);
        dl_zero(image, in_size(c));
        for (int row = 0; row < w->out_height; row = tile_end(c, row)) {
            int64_t pixels = (int64_t)(tile_end(c, row) - row) * w->out_width;
            const float *out = dy + n * out_size(c) + (int64_t)row * w->out_width * c->filters;
            for (int g = 0; g < groups(c); g++) {
                dl_gemm_part(false, true, pixels, depth(c), many, out + g * many, c->filters,
                             weight + g * many, c->filters, 0, columns, depth(c));
                fold(w, columns, row, tile_end(c, row), g * own, own, image);
            }
        }
    }
}

static void backward_weights_tiles(const dl_conv *c, int batch, const float *x, const float *dy,
                                   float beta, float *dweight, void *scratch) {
    const dl_window *w = &c->window;
    const int own = w->channels / groups(c), many = c->filters / groups(c); /* a group's */
    int64_t stride = tile_floats(c) + (c->threads > 1 ? weight_floats(c) : 0);
    float *sums = (float *)scratch + tile_floats(c);
    if (beta == 0)
        dl_zero(dweight, depth(c) * c->filters);
    for (int t = 0; c->threads > 1 && t < c->threads; t++)
        dl_zero(sums + t * stride, depth(c) * c->filters);
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *columns = thread_scratch(c, scratch);
        float *sum = c->threads > 1 ? columns + tile_floats(c) : dweight;
        for (int row = 0; row < w->out_height; row = tile_end(c, row)) {
            int64_t pixels = (int64_t)(tile_end(c, row) - row) * w->out_width;
            const float *out = dy + n * out_size(c) + (int64_t)row * w->out_width * c->filters;
            for (int g = 0; g < groups(c); g++) {
                unfold(w, x + n * in_size(c), row, tile_end(c, row), g * own, own, columns);
                dl_gemm_part(true, false, depth(c), many, pixels, columns, depth(c), out + g * many,
                             c->filters, 1, sum + g * many, c->filters);
            }
        }
    }
    for (int t = 0; c->threads > 1 && t < c->threads; t++)
        dl_add(dweight, sums + t * stride, depth(c) * c->filters);
}

/* ---- the three passes by the chosen method ---- */

static int64_t pixel_count(const dl_conv *c, int batch) {
    return (int64_t)batch * c->window.out_height * c->window.out_width;
}

void dl_conv_forward(const dl_conv *c, int batch, const float *x, const float *weight,
                     const float *bias, float *y, void *scratch) {
    int64_t pixels = pixel_count(c, batch);
    if (c->onednn_forward &&
        dl_onednn_conv_forward(c->onednn, batch, x, weight, bias, y, scratch)) {
        if (c->activation.kind != DL_RELU)
            dl_activate(&c->activation, pixels, c->filters, NULL, y, y);
    } else if (c->direct) {
        dl_direct_forward(c->direct, batch, x, weight, bias, y, scratch);
    } else if (is_pointwise(c)) {
        dl_gemm(false, false, pixels, c->filters, c->window.channels, x, weight, 0, y);
        dl_activate(&c->activation, pixels, c->filters, bias, y, y);
    } else {
        forward_tiles(c, batch, x, weight, bias, y, scratch);
    }
}

void dl_conv_backward_data(const dl_conv *c, int batch, const float *dy, const float *weight,
                           float *dx, void *scratch) {
    if (c->onednn_backward &&
        dl_onednn_conv_backward_data(c->onednn, batch, dy, weight, dx, scratch))
        return;
    if (is_pointwise(c))
        dl_gemm(false, true, pixel_count(c, batch), c->window.channels, c->filters, dy, weight, 0,
                dx);
    else
        backward_data_tiles(c, batch, dy, weight, dx, scratch);
}

void dl_conv_backward_weights(const dl_conv *c, int batch, const float *x, const float *dy,
                              float beta, float *dweight, void *scratch) {
    if (c->onednn_backward &&
        dl_onednn_conv_backward_weights(c->onednn, batch, x, dy, beta, dweight, scratch))
        return;
    if (is_pointwise(c))
        dl_gemm(true, false, c->window.channels, c->filters, pixel_count(c, batch), x, dy, beta,
                dweight);
    else
        backward_weights_tiles(c, batch, x, dy, beta, dweight, scratch);
}

void dl_conv_backward(const dl_conv *c, int batch, const float *x, const float *y, float *dy,
                      const float *weight, float *dx, float beta, float *dweight, float *dbias,
                      void *scratch) {
    if (c->direct && !c->onednn_backward) {
        dl_direct_backward(c->direct, batch, x, y, dy, weight, dx, beta, dweight, dbias, scratch);
        return;
    }
    dl_activate_backward(&c->activation, pixel_count(c, batch), c->filters, y, dy, dy, dbias);
    dl_conv_backward_weights(c, batch, x, dy, beta, dweight, scratch);
    if (dx)
        dl_conv_backward_data(c, batch, dy, weight, dx, scratch);
}
