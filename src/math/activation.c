/* SPDX-License-Identifier: MIT */
#include "math/activation.h"

#include <stddef.h>

#include "math/scalar.h"

#define NAMES                                                                                      \
    "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "step", "selu", "softplus",          \
        "softsign", "hard_tanh", "softmax"
const char *const dl_activation_names[] = {NAMES, NULL};
const char *const dl_activation_all_names[] = {NAMES, "gelu", "swish", NULL};

/* Klambauer et al., "Self-normalizing neural networks", NIPS 2017. */
#define SELU_SCALE ((float)1.0507009873554805)
#define SELU_ALPHA ((float)1.6732632423543773)

enum {
    SMALL = 1 << 14, /* elements below which a second thread costs more than it gives */
    BLOCKS = 16,     /* of rows, whose bias gradients are summed apart: fixed, so that the bits */
    FEW_CHANNELS = 2048 /* do not depend on the number of threads */
};

/* One loop an activation, each over a row, as vectors: x and y are the same or apart, so that no
   element depends on another. Two of them, since a masked load from a bias that is not there is
   slower than all the rest. */
#define LOOP(input, expression)                                                                    \
    _Pragma("omp simd") for (int64_t j = 0; j < channels; j++) {                                   \
        float v = (input);                                                                         \
        y[j] = (expression);                                                                       \
    }
#define ROW(expression)                                                                            \
    if (bias) {                                                                                    \
        LOOP(x[j] + bias[j], expression)                                                           \
    } else {                                                                                       \
        LOOP(x[j], expression)                                                                     \
    }                                                                                              \
    break

static void softmax_row(int64_t channels, const float *bias, const float *x, float *y) {
    float most = -INFINITY;
    for (int64_t j = 0; j < channels; j++)
        y[j] = x[j];
    for (int64_t j = 0; bias && j < channels; j++)
        y[j] += bias[j];
    for (int64_t j = 0; j < channels; j++)
        most = y[j] > most ? y[j] : most;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < channels; j++) {
        y[j] = dl_exp(y[j] - most);
        sum += y[j];
    }
    for (int64_t j = 0; j < channels; j++)
        y[j] /= sum;
}

void dl_activate_row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                     float *y) {
    const float slope = (float)f->slope, alpha = (float)f->alpha;
    switch ((dl_activation_kind)f->kind) {
    case DL_LINEAR:
        ROW(v);
    case DL_SIGMOID:
        ROW(dl_sigmoid(v));
    case DL_TANH:
        ROW(dl_tanh(v));
    case DL_RELU:
        ROW(v < 0 ? 0 : v); /* NaN stays NaN, so that a diverged run is seen */
    case DL_LEAKY_RELU:
        ROW(v < 0 ? slope * v : v);
    case DL_ELU:
        ROW(v < 0 ? alpha * (dl_exp(v) - 1) : v);
    case DL_STEP:
        ROW(v < 0 ? 0 : v == v ? 1 : v);
    case DL_SELU:
        ROW(SELU_SCALE * (v < 0 ? SELU_ALPHA * (dl_exp(v) - 1) : v));
    case DL_SOFTPLUS:
        ROW((v > 0 ? v : 0) + dl_log1p(dl_exp(-fabsf(v))));
    case DL_SOFTSIGN:
        ROW(v / (1 + fabsf(v)));
    case DL_HARD_TANH:
        ROW(v < -1 ? -1 : v > 1 ? 1 : v);
    case DL_SOFTMAX:
        softmax_row(channels, bias, x, y);
        break;
    case DL_GELU:
        ROW(dl_gelu(v));
    case DL_SWISH:
        ROW(v * dl_sigmoid(v));
    }
}

void dl_activate(const dl_activation *f, int64_t rows, int64_t channels, const float *bias,
                 const float *x, float *y) {
    if (f->kind == DL_LINEAR && !bias && x == y)
        return;
    if (!bias && f->kind != DL_SOFTMAX) { /* longer rows, longer vectors */
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

#define SLOPE(expression)                                                                          \
    _Pragma("omp simd") for (int64_t j = 0; j < channels; j++) dx[j] = dy[j] * (expression);       \
    break

void dl_derive_row(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx) {
    const float slope = (float)f->slope, alpha = (float)f->alpha;
    switch ((dl_activation_kind)f->kind) {
    case DL_LINEAR:
        for (int64_t j = 0; j < channels; j++)
            dx[j] = dy[j];
        break;
    case DL_SIGMOID:
        SLOPE(y[j] * (1 - y[j]));
    case DL_TANH:
        SLOPE(1 - y[j] * y[j]);
    case DL_RELU:
        SLOPE(y[j] > 0 ? 1 : 0);
    case DL_LEAKY_RELU:
        SLOPE(y[j] > 0 ? 1 : slope);
    case DL_ELU:
        SLOPE(y[j] > 0 ? 1 : y[j] + alpha);
    case DL_STEP: { /* flat wherever it has a derivative */
        const float through = f->straight ? 1 : 0;
        SLOPE(through);
    }
    case DL_SELU:
        SLOPE(y[j] > 0 ? SELU_SCALE : y[j] + SELU_SCALE * SELU_ALPHA);
    case DL_SOFTPLUS: /* f' = sigmoid(x) = 1 - e^-y */
        SLOPE(1 - dl_exp(-y[j]));
    case DL_SOFTSIGN:
        SLOPE((1 - fabsf(y[j])) * (1 - fabsf(y[j])));
    case DL_HARD_TANH:
        SLOPE(y[j] > -1 && y[j] < 1 ? 1 : 0);
    case DL_GELU:
        SLOPE(dl_gelu_slope(y[j]));
    case DL_SWISH:
        SLOPE(dl_swish_slope(y[j]));
    case DL_SOFTMAX: {
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t j = 0; j < channels; j++)
            sum += dy[j] * y[j];
        for (int64_t j = 0; j < channels; j++)
            dx[j] = y[j] * (dy[j] - sum);
    }
    }
}

static void derive_rows(const dl_activation *f, int64_t first, int64_t last, int64_t channels,
                        const float *y, const float *dy, float *dx, float *sums) {
    for (int64_t i = first; i < last; i++) {
        float *row = dx + i * channels;
        if (f->kind != DL_LINEAR || dx != dy)
            dl_derive_row(f, channels, y ? y + i * channels : NULL, dy + i * channels, row);
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
            dl_derive_row(f, many, y + i, dy + i, dy + i);
        memcpy(dx + i, dy + i, sizeof *dx * (size_t)many);
    }
}
