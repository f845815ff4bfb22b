/* SPDX-License-Identifier: MIT */
#include "math/resample.h"

#include <math.h>

#include "math/vector.h"

const char *const dl_resample_names[] = {"nearest", "bilinear", "bicubic", NULL};

/* Keys' cubic at distance d, with the slope -3/4 at distance 1 that PyTorch and OpenCV have: "Cubic
   convolution interpolation for digital image processing", 1981. */
static double cubic(double d) {
    const double a = -0.75;
    d = fabs(d);
    if (d <= 1)
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* Output o lies at (o + 1/2) / factor - 1/2; beyond the ends the outermost pixel is repeated. */
static dl_taps make_taps(int size, int factor, dl_resample_method method, dl_arena *arena) {
    static const int taps_of[] = {1, 2, 4};
    dl_taps t = {.count = size * factor, .taps = taps_of[method]};
    size_t count = (size_t)t.count * (size_t)t.taps;
    t.index = dl_arena_alloc(arena, sizeof *t.index * count);
    t.weight = dl_arena_alloc(arena, sizeof *t.weight * count);
    for (int o = 0; o < t.count; o++) {
        double at = (o + 0.5) / factor - 0.5;
        int low = method == DL_NEAREST ? o / factor : (int)floor(at) - (t.taps == 4);
        for (int k = 0; k < t.taps; k++) {
            int index = low + k;
            double weight = 1;
            if (method == DL_BILINEAR)
                weight = 1 - fabs(at - index);
            if (method == DL_BICUBIC)
                weight = cubic(at - index);
            t.index[o * t.taps + k] = index < 0 ? 0 : index >= size ? size - 1 : index;
            t.weight[o * t.taps + k] = (float)weight;
        }
    }
    return t;
}

dl_resample dl_resample_plan(dl_shape input, const int64_t factor[2], dl_resample_method method,
                             dl_arena *arena) {
    dl_resample r = {.height = input.dim[0], .width = input.dim[1], .channels = input.dim[2]};
    r.row = make_taps(r.height, (int)factor[0], method, arena);
    r.column = make_taps(r.width, (int)factor[1], method, arena);
    return r;
}

/* y = a x, or y += a x */
static void put(float *restrict y, const float *restrict x, float a, int64_t count) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] = a * x[i];
}

static void accumulate(float *restrict y, const float *restrict x, float a, int64_t count) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] += a * x[i];
}

/* Row o of the output, from a row that is as wide as the input: line[w][c] -> y[w * factor][c]. */
static void widen_line(const dl_resample *r, const float *line, float *y) {
    const dl_taps *t = &r->column;
    int64_t c = r->channels;
    for (int o = 0; o < t->count; o++, y += c)
        for (int k = 0; k < t->taps; k++) {
            const float *from = line + t->index[o * t->taps + k] * c;
            float weight = t->weight[o * t->taps + k];
            if (k == 0)
                put(y, from, weight, c);
            else
                accumulate(y, from, weight, c);
        }
}

void dl_resample_forward(const dl_resample *r, int batch, const float *x, float *y,
                         float *scratch) {
    const dl_taps *t = &r->row;
    int64_t in_row = (int64_t)r->width * r->channels;
    int64_t out_row = (int64_t)r->column.count * r->channels;
#pragma omp parallel for schedule(static) if (batch * out_row * t->count >= 1 << 14)
    for (int n = 0; n < batch; n++) {
        const float *image = x + n * r->height * in_row;
        float *line = scratch + n * in_row, *to = y + n * t->count * out_row;
        for (int o = 0; o < t->count; o++, to += out_row) {
            put(line, image + t->index[o * t->taps] * in_row, t->weight[o * t->taps], in_row);
            for (int k = 1; k < t->taps; k++)
                accumulate(line, image + t->index[o * t->taps + k] * in_row,
                           t->weight[o * t->taps + k], in_row);
            widen_line(r, line, to);
        }
    }
}

/* The transpose of widen_line: line[w][c] += what of dy[w * factor][c] came from it. */
static void narrow_line(const dl_resample *r, const float *dy, float *line) {
    const dl_taps *t = &r->column;
    int64_t c = r->channels;
    for (int o = 0; o < t->count; o++, dy += c)
        for (int k = 0; k < t->taps; k++)
            accumulate(line + t->index[o * t->taps + k] * c, dy, t->weight[o * t->taps + k], c);
}

void dl_resample_backward(const dl_resample *r, int batch, const float *dy, float *dx,
                          float *scratch) {
    const dl_taps *t = &r->row;
    int64_t in_row = (int64_t)r->width * r->channels;
    int64_t out_row = (int64_t)r->column.count * r->channels;
#pragma omp parallel for schedule(static) if (batch * out_row * t->count >= 1 << 14)
    for (int n = 0; n < batch; n++) {
        const float *from = dy + n * t->count * out_row;
        float *line = scratch + n * in_row, *image = dx + n * r->height * in_row;
        dl_zero(image, r->height * in_row);
        for (int o = 0; o < t->count; o++, from += out_row) {
            dl_zero(line, in_row);
            narrow_line(r, from, line);
            for (int k = 0; k < t->taps; k++)
                accumulate(image + t->index[o * t->taps + k] * in_row, line,
                           t->weight[o * t->taps + k], in_row);
        }
    }
}
