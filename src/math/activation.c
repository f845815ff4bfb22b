/* SPDX-License-Identifier: MIT */
#include "math/activation.h"

#include <stddef.h>
#include <string.h>

#define DECLARE(constant, name, help) extern const dl_activation_type dl_activation_##name;
#define TYPE(constant, name, help) &dl_activation_##name,
#define NAME(constant, name, help) #name,

DL_ACTIVATIONS(DECLARE, DL_NO_PARAMETER, , )

static const dl_activation_type *const types[] = {DL_ACTIVATIONS(TYPE, DL_NO_PARAMETER, , )};
const char *const dl_activation_names[] = {DL_ACTIVATIONS(NAME, DL_NO_PARAMETER, , ) NULL};

const dl_activation_type *dl_activation_of(const dl_activation *f) {
    return types[f->kind];
}

enum {
    SMALL = 1 << 14, /* elements below which a second thread costs more than it gives */
    BLOCKS = 16,     /* of rows, whose bias gradients are summed apart: fixed, so that the bits */
    FEW_CHANNELS = 2048 /* do not depend on the number of threads */
};

void dl_activate_row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                     float *y) {
    types[f->kind]->row(f, channels, bias, x, y);
}

void dl_activate_backward_row(const dl_activation *f, int64_t channels, const float *y,
                              const float *dy, float *dx) {
    types[f->kind]->derive(f, channels, y, dy, dx);
}

void dl_activate(const dl_activation *f, int64_t rows, int64_t channels, const float *bias,
                 const float *x, float *y) {
    if (f->kind == DL_LINEAR && !bias && x == y)
        return;
    if (!bias && !types[f->kind]->over_channels) { /* longer rows, longer vectors */
        int64_t total = rows * channels;
        rows = (total + 4095) / 4096;
#pragma omp parallel for schedule(static) if (total >= SMALL)
        for (int64_t i = 0; i < rows; i++) {
            int64_t count = total - i * 4096 < 4096 ? total - i * 4096 : 4096;
            dl_activate_row(f, count, NULL, x + i * 4096, y + i * 4096);
        }
        return;
    }
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int64_t i = 0; i < rows; i++)
        dl_activate_row(f, channels, bias, x + i * channels, y + i * channels);
}

static void derive_rows(const dl_activation *f, int64_t first, int64_t last, int64_t channels,
                        const float *y, const float *dy, float *dx, float *sums) {
    for (int64_t i = first; i < last; i++) {
        float *row = dx + i * channels;
        if (f->kind != DL_LINEAR || dx != dy)
            dl_activate_backward_row(f, channels, y ? y + i * channels : NULL, dy + i * channels,
                                     row);
        if (sums)
#pragma omp simd
            for (int64_t j = 0; j < channels; j++)
                sums[j] += row[j];
    }
}

/* Sums of columns [low, high) of dx[rows][channels] into bias_grad. */
static void add_columns(int64_t rows, int64_t channels, int64_t low, int64_t high, const float *dx,
                        float *bias_grad) {
    float sums[64] = {0};
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = low; j < high; j++)
            sums[j - low] += dx[i * channels + j];
    for (int64_t j = low; j < high; j++)
        bias_grad[j] += sums[j - low];
}

void dl_activate_backward(const dl_activation *f, int64_t rows, int64_t channels, const float *y,
                          const float *dy, float *dx, float *bias_grad) {
    int64_t per_block = (rows + BLOCKS - 1) / BLOCKS;
    bool few = channels <= FEW_CHANNELS;
    float sums[BLOCKS][few ? channels : 1];
    if (few)
        memset(sums, 0, sizeof sums);
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int b = 0; b < BLOCKS; b++) {
        int64_t first = b * per_block, last = first + per_block < rows ? first + per_block : rows;
        derive_rows(f, first, last, channels, y, dy, dx, few && bias_grad ? sums[b] : NULL);
    }
    if (!bias_grad)
        return;
    for (int b = 0; few && b < BLOCKS; b++)
        for (int64_t j = 0; j < channels; j++)
            bias_grad[j] += sums[b][j];
    if (few)
        return;
#pragma omp parallel for schedule(static) if (rows * channels >= SMALL)
    for (int64_t j = 0; j < channels; j += 64)
        add_columns(rows, channels, j, j + 64 < channels ? j + 64 : channels, dx, bias_grad);
}

void dl_activation_guide(const dl_activation *f, int64_t count, float *dy) {
    for (int64_t i = 0; i < count && types[f->kind]->rectifies; i++)
        dy[i] = dy[i] < 0 ? 0 : dy[i];
}

enum { STRETCH = 4096 }; /* elements that stay in the first cache from one loop to the next */

void dl_activate_sum(const dl_activation *f, int64_t count, const float *a, const float *b,
                     float *y) {
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int64_t i = 0; i < count; i += STRETCH) {
        int64_t end = count - i < STRETCH ? count : i + STRETCH;
#pragma omp simd
        for (int64_t j = i; j < end; j++)
            y[j] = a[j] + b[j];
        if (f->kind != DL_LINEAR)
            dl_activate_row(f, end - i, NULL, y + i, y + i);
    }
}

void dl_activate_backward_both(const dl_activation *f, int64_t count, const float *y, float *dy,
                               float *dx) {
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int64_t i = 0; i < count; i += STRETCH) {
        int64_t many = count - i < STRETCH ? count - i : STRETCH;
        if (f->kind != DL_LINEAR)
            dl_activate_backward_row(f, many, y + i, dy + i, dy + i);
        memcpy(dx + i, dy + i, sizeof *dx * (size_t)many);
    }
}
