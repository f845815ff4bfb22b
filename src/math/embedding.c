/* SPDX-License-Identifier: MIT */
#include "math/embedding.h"

#include <math.h>

#include "math/threads.h"
#include "math/vector.h"

enum {
    SMALL = 1 << 14, /* elements below which a second thread costs more than it gives */
    LINE = 16        /* floats of a line of the cache, which no two threads write to */
};

static void fill(float *row, int64_t count, float value) {
    for (int64_t j = 0; j < count; j++)
        row[j] = value;
}

void dl_embedding_forward(int64_t rows, int64_t vocabulary, int64_t units, const float *indices,
                          const float *table, float *y) {
#pragma omp parallel for schedule(static) if (rows * units >= SMALL)
    for (int64_t i = 0; i < rows; i++) {
        int64_t index = dl_index_of(indices[i], vocabulary);
        if (index < 0)
            fill(y + i * units, units, (float)NAN);
        else
            dl_copy(y + i * units, table + index * units, units);
    }
}

/* Columns [low, high) of all the sums. */
static void add_rows(int64_t rows, int64_t vocabulary, int64_t units, int64_t low, int64_t high,
                     const float *indices, const float *dy, float *grad) {
    for (int64_t i = 0; i < rows; i++) {
        int64_t index = dl_index_of(indices[i], vocabulary);
        if (index < 0)
            continue;
        const float *from = dy + i * units;
        float *to = grad + index * units;
#pragma omp simd
        for (int64_t j = low; j < high; j++)
            to[j] += from[j];
    }
}

/* Each thread has its own columns, so that rows shared by several samples are added up in the order
   of the samples. Most of a large table's gradient is zero, but optimizers want all of it: writing
   the zeros, by all threads, is a small part of what a step of theirs reads and writes. */
void dl_embedding_backward(int64_t rows, int64_t vocabulary, int64_t units, const float *indices,
                           const float *dy, float beta, float *grad) {
    int64_t lines = (units + LINE - 1) / LINE;
#pragma omp parallel if (rows * units >= SMALL || vocabulary * units >= SMALL)
    {
        int64_t team = dl_threads_in_team(), number = dl_thread_number();
        int64_t low = lines * number / team * LINE, high = lines * (number + 1) / team * LINE;
        if (beta == 0) {
#pragma omp for schedule(static)
            for (int64_t i = 0; i < vocabulary; i++)
                fill(grad + i * units, units, 0);
        }
        add_rows(rows, vocabulary, units, low, high < units ? high : units, indices, dy, grad);
    }
}

void dl_one_hot(int64_t rows, int64_t classes, const float *indices, float *y) {
#pragma omp parallel for schedule(static) if (rows * classes >= SMALL)
    for (int64_t i = 0; i < rows; i++) {
        int64_t index = dl_index_of(indices[i], classes);
        fill(y + i * classes, classes, index < 0 ? (float)NAN : 0);
        if (index >= 0)
            y[i * classes + index] = 1;
    }
}
