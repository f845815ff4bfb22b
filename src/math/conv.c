#include "math/conv.h"

#include <stdbool.h>
#include <string.h>

#include "math/gemm.h"
#include "math/threads.h"
#include "math/vector.h"

enum { TILE_BYTES = 256 * 1024 };

static int64_t depth(const dl_conv *c) {
    return (int64_t)c->window.kernel[0] * c->window.kernel[1] * c->window.channels;
}

/* A 1x1 window on every pixel: the image is its own unfolding. */
static bool is_pointwise(const dl_conv *c) {
    const dl_window *w = &c->window;
    return w->kernel[0] == 1 && w->kernel[1] == 1 && w->stride[0] == 1 && w->stride[1] == 1;
}

void dl_conv_plan(dl_conv *c, int threads) {
    int64_t row = depth(c) * c->window.out_width * (int64_t)sizeof(float);
    int64_t rows = TILE_BYTES / row;
    c->tile = rows < 1 ? 1 : rows > c->window.out_height ? c->window.out_height : (int)rows;
    c->threads = threads;
}

static int64_t tile_floats(const dl_conv *c) {
    int64_t count = depth(c) * c->window.out_width * c->tile;
    return (count + 15) / 16 * 16;
}

static int64_t weight_floats(const dl_conv *c) {
    return (depth(c) * c->filters + 15) / 16 * 16;
}

size_t dl_conv_scratch(const dl_conv *c) {
    int64_t weights = c->threads > 1 ? weight_floats(c) : 0;
    return (size_t)c->threads * (size_t)(tile_floats(c) + weights) * sizeof(float);
}

static float *thread_scratch(const dl_conv *c, void *scratch) {
    int64_t weights = c->threads > 1 ? weight_floats(c) : 0;
    return (float *)scratch + dl_thread_number() * (tile_floats(c) + weights);
}

/* columns[row - first][ox][kh][kw][c] = the pixels under the window, zero outside the image. */
static void unfold(const dl_window *w, const float *image, int first, int last, float *columns) {
    const int64_t span = (int64_t)w->kernel[1] * w->channels;
    for (int oy = first; oy < last; oy++)
        for (int ox = 0; ox < w->out_width; ox++) {
            int left = ox * w->stride[1] - w->before[1];
            int from = left < 0 ? -left : 0;
            int to = left + w->kernel[1] > w->width ? w->width - left : w->kernel[1];
            for (int ky = 0; ky < w->kernel[0]; ky++, columns += span) {
                int y = oy * w->stride[0] - w->before[0] + ky;
                if (y < 0 || y >= w->height || to <= from) {
                    memset(columns, 0, sizeof(float) * (size_t)span);
                    continue;
                }
                const float *source = image + ((int64_t)y * w->width + left + from) * w->channels;
                int64_t head = (int64_t)from * w->channels,
                        body = (int64_t)(to - from) * w->channels;
                for (int64_t i = 0; i < head; i++)
                    columns[i] = 0;
                for (int64_t i = 0; i < body; i++)
                    columns[head + i] = source[i];
                for (int64_t i = head + body; i < span; i++)
                    columns[i] = 0;
            }
        }
}

/* image += the columns folded back. */
static void fold(const dl_window *w, const float *columns, int first, int last, float *image) {
    const int64_t span = (int64_t)w->kernel[1] * w->channels;
    for (int oy = first; oy < last; oy++)
        for (int ox = 0; ox < w->out_width; ox++) {
            int left = ox * w->stride[1] - w->before[1];
            int from = left < 0 ? -left : 0;
            int to = left + w->kernel[1] > w->width ? w->width - left : w->kernel[1];
            for (int ky = 0; ky < w->kernel[0]; ky++, columns += span) {
                int y = oy * w->stride[0] - w->before[0] + ky;
                if (y < 0 || y >= w->height || to <= from)
                    continue;
                float *target = image + ((int64_t)y * w->width + left + from) * w->channels;
                const float *source = columns + (int64_t)from * w->channels;
                int64_t body = (int64_t)(to - from) * w->channels;
                for (int64_t i = 0; i < body; i++)
                    target[i] += source[i];
            }
        }
}

static int64_t in_size(const dl_conv *c) {
    return (int64_t)c->window.height * c->window.width * c->window.channels;
}

static int64_t out_size(const dl_conv *c) {
    return (int64_t)c->window.out_height * c->window.out_width * c->filters;
}

static int tile_end(const dl_conv *c, int row) {
    return row + c->tile < c->window.out_height ? row + c->tile : c->window.out_height;
}

void dl_conv_forward(const dl_conv *c, int batch, const float *x, const float *weight,
                     const float *bias, const dl_activation *f, float *y, void *scratch) {
    const dl_window *w = &c->window;
    if (is_pointwise(c)) {
        int64_t pixels = (int64_t)batch * w->height * w->width;
        dl_gemm(false, false, pixels, c->filters, w->channels, x, weight, 0, y);
        dl_activate(f, pixels, c->filters, bias, y, y);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *columns = thread_scratch(c, scratch);
        for (int row = 0; row < w->out_height; row = tile_end(c, row)) {
            int64_t pixels = (int64_t)(tile_end(c, row) - row) * w->out_width;
            float *out = y + n * out_size(c) + (int64_t)row * w->out_width * c->filters;
            unfold(w, x + n * in_size(c), row, tile_end(c, row), columns);
            dl_gemm(false, false, pixels, c->filters, depth(c), columns, weight, 0, out);
            dl_activate(f, pixels, c->filters, bias, out, out);
        }
    }
}

void dl_conv_backward_data(const dl_conv *c, int batch, const float *dy, const float *weight,
                           float *dx, void *scratch) {
    const dl_window *w = &c->window;
    if (is_pointwise(c)) {
        int64_t pixels = (int64_t)batch * w->height * w->width;
        dl_gemm(false, true, pixels, w->channels, c->filters, dy, weight, 0, dx);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *columns = thread_scratch(c, scratch), *image = dx + n * in_size(c);
        dl_zero(image, in_size(c));
        for (int row = 0; row < w->out_height; row = tile_end(c, row)) {
            int64_t pixels = (int64_t)(tile_end(c, row) - row) * w->out_width;
            const float *out = dy + n * out_size(c) + (int64_t)row * w->out_width * c->filters;
            dl_gemm(false, true, pixels, depth(c), c->filters, out, weight, 0, columns);
            fold(w, columns, row, tile_end(c, row), image);
        }
    }
}

void dl_conv_backward_weights(const dl_conv *c, int batch, const float *x, const float *dy,
                              float *dweight, void *scratch) {
    const dl_window *w = &c->window;
    if (is_pointwise(c)) {
        int64_t pixels = (int64_t)batch * w->height * w->width;
        dl_gemm(true, false, w->channels, c->filters, pixels, x, dy, 1, dweight);
        return;
    }
    int64_t stride = tile_floats(c) + (c->threads > 1 ? weight_floats(c) : 0);
    float *sums = (float *)scratch + tile_floats(c);
    for (int t = 0; c->threads > 1 && t < c->threads; t++)
        dl_zero(sums + t * stride, depth(c) * c->filters);
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *columns = thread_scratch(c, scratch);
        float *sum = c->threads > 1 ? columns + tile_floats(c) : dweight;
        for (int row = 0; row < w->out_height; row = tile_end(c, row)) {
            int64_t pixels = (int64_t)(tile_end(c, row) - row) * w->out_width;
            const float *out = dy + n * out_size(c) + (int64_t)row * w->out_width * c->filters;
            unfold(w, x + n * in_size(c), row, tile_end(c, row), columns);
            dl_gemm(true, false, depth(c), c->filters, pixels, columns, out, 1, sum);
        }
    }
    for (int t = 0; c->threads > 1 && t < c->threads; t++)
        dl_add(dweight, sums + t * stride, depth(c) * c->filters);
}
