/* SPDX-License-Identifier: MIT */
#include "math/peak.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/terminal.h"
#include "math/activation.h"
#include "math/gemm.h"

enum { SIZE = 1024, TIMES = 12 };
static const int64_t LONG = 12 << 20; /* floats */

static double fastest(double best, double started) {
    double seconds = dl_clock() - started;
    return best == 0 || seconds < best ? seconds : best;
}

double dl_peak_operations(void) {
    size_t bytes = sizeof(float) * SIZE * SIZE;
    float *a = dl_memory_aligned(bytes), *b = dl_memory_aligned(bytes);
    float *c = dl_memory_aligned(bytes);
    double best = 0;
    for (int i = 0; i < TIMES; i++) {
        double started = dl_clock();
        dl_gemm(false, false, SIZE, SIZE, SIZE, a, b, 0, c);
        best = fastest(best, started);
    }
    free(a);
    free(b);
    free(c);
    return 2.0 * SIZE * SIZE * SIZE / best;
}

double dl_peak_bandwidth(void) {
    float *a = dl_memory_aligned(sizeof(float) * (size_t)LONG);
    float *b = dl_memory_aligned(sizeof(float) * (size_t)LONG);
    double best = 0;
    dl_activation linear = {0};
    for (int i = 0; i < 5; i++) {
        double started = dl_clock();
        dl_activate_sum(&linear, LONG, a, a, b);
        best = fastest(best, started);
    }
    free(a);
    free(b);
    return 2.0 * sizeof(float) * (double)LONG / best;
}
