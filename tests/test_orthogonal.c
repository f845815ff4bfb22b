/* SPDX-License-Identifier: MIT */
/* math/orthogonal: steps that do not leave the orthogonal matrices. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/orthogonal.h"
#include "math/threads.h"

/* Tall, wide and square; of systems of n equations and of 2p. */
static const int shapes[][2] = {{6, 4}, {9, 3}, {3, 9}, {5, 6}, {8, 8}, {1, 7}, {1, 1}, {40, 64}};
enum { SHAPES = sizeof shapes / sizeof *shapes, LARGEST = 64 * 64 };

/* Number i of vector j, of the few vectors of many numbers. */
static double at(const float *w, int rows, int columns, int i, int j) {
    return rows < columns ? w[j * columns + i] : w[i * columns + j];
}

/* The length of W'W - I, all its numbers together. */
static double distance(const float *w, int rows, int columns) {
    int many = rows < columns ? columns : rows, few = rows + columns - many;
    double sum = 0;
    for (int a = 0; a < few; a++)
        for (int b = 0; b < few; b++) {
            double product = -(a == b);
            for (int i = 0; i < many; i++)
                product += at(w, rows, columns, i, a) * at(w, rows, columns, i, b);
            sum += product * product;
        }
    return sqrt(sum);
}

static void begin(float *w, int rows, int columns) {
    harness_fill(w, (int64_t)rows * columns, 1);
    dl_orthogonalize(rows, columns, w);
}

/* after - before + A/2 (after + before), the largest number of it: 0 by the definition. */
static double residual(const float *before, const float *moved, const float *after, int rows,
                       int columns) {
    int n = rows < columns ? columns : rows, p = rows + columns - n;
    double largest = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < p; j++) {
            double sum = at(after, rows, columns, i, j) - at(before, rows, columns, i, j);
            for (int k = 0; k < n; k++) {
                double a = 0;
                for (int l = 0; l < p; l++) {
                    double wi = at(before, rows, columns, i, l),
                           wk = at(before, rows, columns, k, l);
                    a += (wi - at(moved, rows, columns, i, l)) * wk -
                         wi * (wk - at(moved, rows, columns, k, l));
                }
                sum += a / 2 * (at(after, rows, columns, k, j) + at(before, rows, columns, k, j));
            }
            largest = fabs(sum) > largest ? fabs(sum) : largest;
        }
    return largest;
}

static void test_definition(void **state) {
    (void)state;
    static float before[LARGEST], moved[LARGEST], after[LARGEST], step[LARGEST], first[LARGEST];
    for (int s = 0; s < SHAPES; s++) {
        int rows = shapes[s][0], columns = shapes[s][1], count = rows * columns;
        void *work = xmalloc((size_t)dl_cayley_work(rows, columns));
        begin(before, rows, columns);
        harness_fill(step, count, 2);
        for (int run = 0; run < 2; run++) {
            for (int i = 0; i < count; i++)
                after[i] = moved[i] = before[i] - 0.3f * step[i];
            dl_threads_set(run + 1);
            dl_cayley(rows, columns, before, after, work);
            if (run)
                assert_memory_equal(after, first, sizeof *after * (size_t)count);
            memcpy(first, after, sizeof *after * (size_t)count);
        }
        assert_true(residual(before, moved, after, rows, columns) < 2e-6);
        assert_true(distance(after, rows, columns) < 2e-6 * sqrt(count));
        if (count > 1) /* and it has moved */
            assert_true(fabsf(after[0] - before[0]) > 1e-3f);
        free(work);
    }
}

/* Small and large steps: after a thousand the matrix is as orthogonal as a float can be. */
static void test_thousand_steps(void **state) {
    (void)state;
    static float w[LARGEST], before[LARGEST], step[LARGEST];
    for (int s = 0; s < SHAPES; s++) {
        int rows = shapes[s][0], columns = shapes[s][1], count = rows * columns;
        void *work = xmalloc((size_t)dl_cayley_work(rows, columns));
        begin(w, rows, columns);
        for (int t = 0; t < 1000; t++) {
            memcpy(before, w, sizeof *w * (size_t)count);
            harness_fill(step, count, (uint16_t)(3 + t));
            for (int i = 0; i < count; i++)
                w[i] -= (t % 10 ? 0.01f : 10.0f) * step[i];
            dl_cayley(rows, columns, before, w, work);
        }
        assert_true(distance(w, rows, columns) < 1e-6);
        free(work);
    }
}

/* What is not finite is left for the trainer to tell. */
static void test_not_finite(void **state) {
    (void)state;
    float before[16], w[16];
    void *work = xmalloc((size_t)dl_cayley_work(4, 4));
    begin(before, 4, 4);
    memcpy(w, before, sizeof w);
    w[5] = NAN;
    dl_cayley(4, 4, before, w, work);
    bool finite = true;
    for (int i = 0; i < 16; i++)
        finite &= isfinite(w[i]) != 0;
    assert_false(finite);
    free(work);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_thousand_steps),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
