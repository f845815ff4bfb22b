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

static int64_t depth(const dl_conv *c) {
    return (int64_t)c->window.kernel[0] * c->window.kernel[1] * c->window.channels;
}

static int64_t in_size(const dl_conv *c) {
    return (int64_t)c->window.height * c->window.width * c->window.channels;
}

static int64_t out_size(const dl_conv *c) {
    return (int64_t)c->window.out_height * c->window.out_width * c->filters;
}

/* A 1x1 window on every pixel: the image is its own unfolding. */
static bool is_pointwise(const dl_conv *c) {
    const dl_window *w = &c->window;
    return w->kernel[0] == 1 && w->kernel[1] == 1 && w->stride[0] == 1 && w->stride[1] == 1;
}

/* As it was measured: oneDNN's backward kernels are the faster ones for whole vectors of channels
   as long as the batch's tensors stay in the last cache from one of its passes to the next, and its
   forward kernels for many channels. All else the direct kernels do better. */
enum { MANY_WEIGHTS = 64 * 64, VECTOR = 16, LAST_CACHE = 32 << 20 };

static void choose(dl_conv *c, int batch) {
    const dl_window *w = &c->window;
    c->onednn_forward = c->onednn_backward = false;
    if (is_pointwise(c))
        return;
    dl_backend backend = dl_backend_get();
    if (backend != DL_BACKEND_ONEDNN)
        c->direct = dl_direct_new(w, c->filters, &c->activation, c->training, c->threads);
    bool vectors = w->channels % VECTOR == 0 && c->filters % VECTOR == 0;
    int64_t tensors = 2 * batch * (in_size(c) + out_size(c)) * (int64_t)sizeof(float);
    bool few = batch < 4 * c->threads; /* images: their lines must be shared */
    bool forward = !c->direct || (vectors && (few || w->channels * c->filters >= MANY_WEIGHTS));
    bool backward = !c->direct || (c->training && vectors && tensors <= LAST_CACHE);
    bool bf16 = c->training && vectors && dl_backend_get_bf16();
    forward = forward || bf16;
    backward = backward || bf16;
    if (backend == DL_BACKEND_OPENBLAS || !(forward || backward))
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

size_t dl_conv_scratch(const dl_conv *c) {
    if (c->direct) {
        size_t direct = dl_direct_scratch(c->direct);
        size_t onednn = c->onednn ? dl_onednn_conv_scratch(c->onednn) : 0;
        return direct > onednn ? direct : onednn;
    }
    int64_t weights = c->threads > 1 ? weight_floats(c) : 0;
    size_t tiles = (size_t)c->threads * (size_t)(tile_floats(c) + weights) * sizeof(float);
    size_t ordered = c->onednn ? dl_onednn_conv_scratch(c->onednn) : 0;
    return tiles > ordered ? tiles : ordered;
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

static int tile_end(const dl_conv *c, int row) {
    return row + c->tile < c->window.out_height ? row + c->tile : c->window.out_height;
}

/* ---- the three passes by tiles ---- */

static void forward_tiles(const dl_conv *c, int batch, const float *x, const float *weight,
                          const float *bias, float *y, void *scratch) {
    const dl_window *w = &c->window;
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *columns = thread_scratch(c, scratch);
        for (int row = 0; row < w->out_height; row = tile_end(c, row)) {
            int64_t pixels = (int64_t)(tile_end(c, row) - row) * w->out_width;
            float *out = y + n * out_size(c) + (int64_t)row * w->out_width * c->filters;
            unfold(w, x + n * in_size(c), row, tile_end(c, row), columns);
            dl_gemm(false, false, pixels, c->filters, depth(c), columns, weight, 0, out);
            dl_activate(&c->activation, pixels, c->filters, bias, out, out);
        }
    }
}

static void backward_data_tiles(const dl_conv *c, int batch, const float *dy, const float *weight,
                                float *dx, void *scratch) {
    const dl_window *w = &c->window;
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

static void backward_weights_tiles(const dl_conv *c, int batch, const float *x, const float *dy,
                                   float beta, float *dweight, void *scratch) {
    const dl_window *w = &c->window;
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
            unfold(w, x + n * in_size(c), row, tile_end(c, row), columns);
            dl_gemm(true, false, depth(c), c->filters, pixels, columns, out, 1, sum);
        }
    }
    for (int t = 0; c->threads > 1 && t < c->threads; t++)
        dl_add(dweight, sums + t * stride, depth(c) * c->filters);
}

/* ---- the three passes by whatever was chosen ---- */

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

static void backward_data(const dl_conv *c, int batch, const float *dy, const float *weight,
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

static void backward_weights(const dl_conv *c, int batch, const float *x, const float *dy,
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
    backward_weights(c, batch, x, dy, beta, dweight, scratch);
    if (dx)
        backward_data(c, batch, dy, weight, dx, scratch);
}
