/* SPDX-License-Identifier: MIT */
#include "math/direct_kernel.h"

#include <stddef.h>

/* Loads and stores need no alignment; the compiler splits a vector that the processor lacks. */
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef float loose
    __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

#define KERNEL static inline __attribute__((always_inline)) void

KERNEL sum_taps(const int pixels, const int vectors, const direct_window *g, const float *x,
                const float *weight, const float *bias, float *out) {
    lanes sum[MOST_PIXELS][STRIP_VECTORS];
#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            sum[p][v] = *(const loose *)(bias + v * LANES);
    const int64_t step = g->x_step, run = g->run;
    for (int row = 0; row < g->rows; row++, x += g->x_row)
        for (int64_t i = 0; i < run; i++, weight += vectors * LANES) {
            lanes w[STRIP_VECTORS];
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++)
                w[v] = *(const loose *)(weight + v * LANES);
#pragma GCC unroll 16
            for (int p = 0; p < pixels; p++)
#pragma GCC unroll 2
                for (int v = 0; v < vectors; v++)
                    sum[p][v] += x[i + p * step] * w[v];
        }
#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            *(loose *)(out + p * g->out_step + v * LANES) = sum[p][v];
}

#define CASES(CASE)                                                                                \
    CASE(1)                                                                                        \
    CASE(2)                                                                                        \
    CASE(3)                                                                                        \
    CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)

int direct_most_pixels(int vectors) {
    int most = MOST_SUMS / vectors;
    return most < MOST_PIXELS ? most : MOST_PIXELS;
}

void direct_sum_taps(const direct_window *g, int pixels, int vectors, const float *x,
                     const float *weight, const float *bias, float *out) {
#define ONE(n)                                                                                     \
    case n:                                                                                        \
        sum_taps(n, 1, g, x, weight, bias, out);                                                   \
        break;
#define TWO(n)                                                                                     \
    case n:                                                                                        \
        sum_taps(n, 2, g, x, weight, bias, out);                                                   \
        break;
    if (vectors == 1)
        switch (pixels) { CASES(ONE) }
    else
        switch (pixels) { CASES(TWO) }
#undef ONE
#undef TWO
}

/* The taps of one row of x: row `upper` of the first line's windows, row `lower` of the second's;
   either may be NULL. */
KERNEL sum_row_pair(const int pixels, int64_t run, int64_t step, const float *x, const float *upper,
                    const float *lower, lanes (*sum)[2]) {
    for (int64_t i = 0; i < run; i++) {
        lanes u = {0}, l = {0};
        if (upper)
            u = *(const loose *)(upper + i * LANES);
        if (lower)
            l = *(const loose *)(lower + i * LANES);
#pragma GCC unroll 16
        for (int p = 0; p < pixels; p++) {
            float v = x[i + p * step];
            if (upper)
                sum[p][0] += v * u;
            if (lower)
                sum[p][1] += v * l;
        }
    }
}

KERNEL sum_taps_pair(const int pixels, const direct_window *g, const float *x, const float *weight,
                     const float *bias, float *out, int64_t out_line) {
    lanes sum[MOST_PIXELS][2];
    const int64_t row = g->run * LANES;
#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
        sum[p][0] = sum[p][1] = *(const loose *)bias;
    sum_row_pair(pixels, g->run, g->x_step, x, weight, NULL, sum);
    for (int r = 1; r < g->rows; r++)
        sum_row_pair(pixels, g->run, g->x_step, x + r * g->x_row, weight + r * row,
                     weight + (r - 1) * row, sum);
    sum_row_pair(pixels, g->run, g->x_step, x + g->rows * g->x_row, NULL,
                 weight + (g->rows - 1) * row, sum);
#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++) {
        *(loose *)(out + p * g->out_step) = sum[p][0];
        *(loose *)(out + p * g->out_step + out_line) = sum[p][1];
    }
}

void direct_sum_taps_pair(const direct_window *g, int pixels, const float *x, const float *weight,
                          const float *bias, float *out, int64_t out_line) {
#define PAIR(n)                                                                                    \
    case n:                                                                                        \
        sum_taps_pair(n, g, x, weight, bias, out, out_line);                                       \
        break;
    switch (pixels) { CASES(PAIR) }
#undef PAIR
}

KERNEL sum_windows(const int rows, const int run, const int vectors, const direct_image *g,
                   const float *x, const float *dz, int64_t next_row, float *sums) {
    lanes sum[MOST_PIXELS * STRIP_VECTORS];
#pragma GCC unroll 5
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 16
        for (int i = 0; i < run; i++)
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++)
                sum[(r * run + i) * vectors + v] =
                    *(const loose *)(sums + r * next_row + (i * vectors + v) * LANES);
    const int64_t x_step = g->x_step, z_step = g->z_step, x_row = g->x_row;
    const int width = g->width;
    for (int line = 0; line < g->height; line++) {
        const float *from = x + line * g->x_line, *z = dz + line * g->z_line;
        for (int n = 0; n < width; n++, from += x_step, z += z_step) {
            lanes d[STRIP_VECTORS];
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++)
                d[v] = *(const loose *)(z + v * LANES);
#pragma GCC unroll 5
            for (int r = 0; r < rows; r++)
#pragma GCC unroll 16
                for (int i = 0; i < run; i++)
#pragma GCC unroll 2
                    for (int v = 0; v < vectors; v++)
                        sum[(r * run + i) * vectors + v] += from[r * x_row + i] * d[v];
        }
    }
#pragma GCC unroll 5
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 16
        for (int i = 0; i < run; i++)
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++)
                *(loose *)(sums + r * next_row + (i * vectors + v) * LANES) =
                    sum[(r * run + i) * vectors + v];
}

/* `many` taps of a row at once, of 1, 3 or 5 rows. */
static void sum_some(const direct_image *g, int rows, int many, int vectors, const float *x,
                     const float *dz, int64_t next_row, float *sums) {
#define CASE(r, n, v)                                                                              \
    case n:                                                                                        \
        sum_windows(r, n, v, g, x, dz, next_row, sums);                                            \
        break;
#define ONE(n) CASE(1, n, 1)
#define TWO(n) CASE(1, n, 2)
#define ONE_THREE(n) CASE(3, n, 1)
#define TWO_THREE(n) CASE(3, n, 2)
#define ONE_FIVE(n) CASE(5, n, 1)
    if (rows == 5)
        switch (many) { ONE_FIVE(1) ONE_FIVE(2) ONE_FIVE(3) ONE_FIVE(4) ONE_FIVE(5) }
    else if (rows == 3 && vectors == 2)
        switch (many) { TWO_THREE(1) TWO_THREE(2) TWO_THREE(3) TWO_THREE(4) }
    else if (rows == 3)
        switch (many) {
            ONE_THREE(1)
            ONE_THREE(2)
            ONE_THREE(3)
            ONE_THREE(4) ONE_THREE(5) ONE_THREE(6) ONE_THREE(7) ONE_THREE(8) ONE_THREE(9)
        }
    else if (vectors == 1)
        switch (many) { CASES(ONE) }
    else
        switch (many) { CASES(TWO) }
#undef CASE
#undef ONE
#undef TWO
#undef ONE_THREE
#undef TWO_THREE
#undef ONE_FIVE
}

/* As many rows as there are registers for, of those that sum_some has kernels for. */
static int rows_at_once(int left, int run, int vectors) {
    if (left >= 5 && 5 * run * vectors <= MOST_SUMS && vectors == 1)
        return 5;
    if (left >= 3 && 3 * run * vectors <= MOST_SUMS)
        return 3;
    return 1;
}

void direct_sum_windows(const direct_image *g, int rows, int run, int vectors, const float *x,
                        const float *dz, float *sums) {
    int most = direct_most_pixels(vectors), parts = (run + most - 1) / most;
    int many = (run + parts - 1) / parts;
    int64_t next_row = (int64_t)run * vectors * LANES;
    for (int row = 0, at_once; row < rows; row += at_once) {
        at_once = rows_at_once(rows - row, run, vectors);
        for (int i = 0; i < run; i += many)
            sum_some(g, at_once, run - i < many ? run - i : many, vectors, x + row * g->x_row + i,
                     dz, next_row, sums + row * next_row + (int64_t)i * vectors * LANES);
    }
}
