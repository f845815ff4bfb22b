/* SPDX-License-Identifier: MIT */
#include "math/depthwise.h"

#include "math/vector.h"

enum { BLOCKS = 16 }; /* of images, whose weight gradients are summed apart */

static int64_t in_size(const dl_window *w) {
    return (int64_t)w->height * w->width * w->channels;
}

/* Taps [from, to) of a window that are inside along an axis; origin: the position of tap 0. */
typedef struct {
    int origin, from, to;
} taps;

static taps taps_inside(const dl_window *w, int axis, int at) {
    int size = axis ? w->width : w->height, step = w->dilation[axis];
    taps t = {at * w->stride[axis] - w->before[axis], 0, w->kernel[axis]};
    if (t.origin < 0)
        t.from = (-t.origin + step - 1) / step;
    int most = t.origin >= size ? 0 : (size - t.origin + step - 1) / step;
    t.to = most < t.to ? most : t.to;
    return t;
}

static const float *tap_weights(const dl_window *w, int multiplier, const float *weight, int ky,
                                int kx) {
    return weight + ((int64_t)ky * w->kernel[1] + kx) * w->channels * multiplier;
}

static int64_t pixel(const dl_window *w, const taps *v, const taps *h, int ky, int kx) {
    int64_t y = v->origin + ky * w->dilation[0], x = h->origin + kx * w->dilation[1];
    return (y * w->width + x) * w->channels;
}

void dl_depthwise_forward(const dl_window *w, int multiplier, int batch, const float *x,
                          const float *weight, float *y) {
    int64_t outputs = (int64_t)w->channels * multiplier;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < (int64_t)batch * w->out_height; row++) {
        const float *image = x + row / w->out_height * in_size(w);
        taps v = taps_inside(w, 0, (int)(row % w->out_height));
        for (int ox = 0; ox < w->out_width; ox++) {
            float *out = y + (row * w->out_width + ox) * outputs;
            taps h = taps_inside(w, 1, ox);
            dl_zero(out, outputs);
            for (int ky = v.from; ky < v.to; ky++)
                for (int kx = h.from; kx < h.to; kx++) {
                    const float *in = image + pixel(w, &v, &h, ky, kx);
                    const float *k = tap_weights(w, multiplier, weight, ky, kx);
                    for (int m = 0; m < multiplier; m++)
#pragma omp simd
                        for (int c = 0; c < w->channels; c++)
                            out[c * multiplier + m] += in[c] * k[c * multiplier + m];
                }
        }
    }
}

void dl_depthwise_backward_data(const dl_window *w, int multiplier, int batch, const float *dy,
                                const float *weight, float *dx) {
    int64_t outputs = (int64_t)w->channels * multiplier;
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *image = dx + n * in_size(w);
        const float *out = dy + (int64_t)n * w->out_height * w->out_width * outputs;
        dl_zero(image, in_size(w));
        for (int oy = 0; oy < w->out_height; oy++)
            for (int ox = 0; ox < w->out_width; ox++, out += outputs) {
                taps v = taps_inside(w, 0, oy), h = taps_inside(w, 1, ox);
                for (int ky = v.from; ky < v.to; ky++)
                    for (int kx = h.from; kx < h.to; kx++) {
                        float *in = image + pixel(w, &v, &h, ky, kx);
                        const float *k = tap_weights(w, multiplier, weight, ky, kx);
                        for (int m = 0; m < multiplier; m++)
#pragma omp simd
                            for (int c = 0; c < w->channels; c++)
                                in[c] += out[c * multiplier + m] * k[c * multiplier + m];
                    }
            }
    }
}

static int64_t weight_count(const dl_window *w, int multiplier) {
    return (int64_t)w->kernel[0] * w->kernel[1] * w->channels * multiplier;
}

size_t dl_depthwise_scratch(const dl_window *w, int multiplier) {
    return sizeof(float) * BLOCKS * (size_t)weight_count(w, multiplier);
}

static void add_image(const dl_window *w, int multiplier, const float *image, const float *out,
                      float *sums) {
    int64_t outputs = (int64_t)w->channels * multiplier;
    for (int oy = 0; oy < w->out_height; oy++)
        for (int ox = 0; ox < w->out_width; ox++, out += outputs) {
            taps v = taps_inside(w, 0, oy), h = taps_inside(w, 1, ox);
            for (int ky = v.from; ky < v.to; ky++)
                for (int kx = h.from; kx < h.to; kx++) {
                    const float *in = image + pixel(w, &v, &h, ky, kx);
                    float *k = sums + ((int64_t)ky * w->kernel[1] + kx) * outputs;
                    for (int m = 0; m < multiplier; m++)
#pragma omp simd
                        for (int c = 0; c < w->channels; c++)
                            k[c * multiplier + m] += in[c] * out[c * multiplier + m];
                }
        }
}

void dl_depthwise_backward_weights(const dl_window *w, int multiplier, int batch, const float *x,
                                   const float *dy, float beta, float *dweight, void *scratch) {
    int64_t count = weight_count(w, multiplier);
    int64_t out = (int64_t)w->out_height * w->out_width * w->channels * multiplier;
    float *sums = scratch;
#pragma omp parallel for schedule(static)
    for (int block = 0; block < BLOCKS; block++) {
        dl_zero(sums + block * count, count);
        for (int n = batch * block / BLOCKS; n < batch * (block + 1) / BLOCKS; n++)
            add_image(w, multiplier, x + n * in_size(w), dy + n * out, sums + block * count);
    }
    if (beta == 0)
        dl_zero(dweight, count);
    for (int block = 0; block < BLOCKS; block++)
        dl_add(dweight, sums + block * count, count);
}
