/* SPDX-License-Identifier: MIT */
#include "math/neighbors.h"

enum { QUERIES = 16 }; /* rows that share one pass over x */

float dl_square_distance(const float *a, const float *b, int64_t dims) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < dims; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

/* Inserts into a sorted list of `count`, of which `filled` are set. */
static void insert(int32_t *index, float *square, int64_t filled, int64_t count, int32_t row,
                   float distance) {
    int64_t at = filled < count ? filled : count - 1;
    if (filled == count && !(distance < square[at]))
        return;
    for (; at > 0 && distance < square[at - 1]; at--) {
        square[at] = square[at - 1];
        index[at] = index[at - 1];
    }
    square[at] = distance;
    index[at] = row;
}

void dl_neighbors(const float *x, int64_t rows, int64_t dims, int64_t count, int32_t *index,
                  float *square) {
#pragma omp parallel for schedule(dynamic)
    for (int64_t first = 0; first < rows; first += QUERIES)
        for (int64_t j = 0; j < rows; j++)
            for (int64_t i = first; i < first + QUERIES && i < rows; i++) {
                int64_t filled = j - (j > i);
                if (i != j)
                    insert(index + i * count, square + i * count, filled < count ? filled : count,
                           count, (int32_t)j, dl_square_distance(x + i * dims, x + j * dims, dims));
            }
}
