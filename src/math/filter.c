/* SPDX-License-Identifier: MIT */
#include "math/filter.h"

#include "math/vector.h"

enum { SMALL = 1 << 12 };

/* to[count] += weight · from[count]: a tap on a line of pixels, all their channels in one loop. */
static void add_line(int64_t count, float weight, const float *from, float *restrict to) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        to[i] += weight * from[i];
}

static void filter_line(const dl_filter *f, int64_t row, const float *image, float *line) {
    dl_zero(line, f->width * f->channels);
    for (int64_t a = 0; a < f->size[0]; a++) {
        int64_t i = row + a - f->before[0];
        if (i < 0 || i >= f->height)
            continue;
        for (int64_t b = 0; b < f->size[1]; b++) {
            int64_t shift = b - f->before[1];
            int64_t first = shift < 0 ? -shift : 0, last = shift > 0 ? f->width - shift : f->width;
            if (first < last)
                add_line((last - first) * f->channels, f->weight[a * f->size[1] + b],
                         image + (i * f->width + first + shift) * f->channels,
                         line + first * f->channels);
        }
    }
}

void dl_filter_images(const dl_filter *f, int batch, const float *from, float *to) {
    int64_t line = f->width * f->channels;
#pragma omp parallel for schedule(static) if (batch * f->height * line >= SMALL)
    for (int64_t k = 0; k < batch * f->height; k++) {
        int64_t row = k % f->height;
        filter_line(f, row, from + (k - row) * line, to + k * line);
    }
}
