/* SPDX-License-Identifier: MIT */
/* The kernels of dlinspect embed: principal components by what defines them, k-means against all
   partitions, neighbors against sorting, and the same bits for any number of threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "math/kmeans.h"
#include "math/neighbors.h"
#include "math/pca.h"
#include "math/threads.h"
#include "math/tsne.h"

#include "harness.h"

static float *normal(int64_t count, uint16_t stream) {
    float *x = malloc(sizeof *x * (size_t)(count + 4));
    dl_draw draw = {.seed = 5, .purpose = DL_FOR_TEST, .stream = stream};
    dl_random_normal(&draw, 0, count, x);
    return x;
}

static double covariance(const float *x, int64_t rows, int64_t dims, int64_t i, int64_t j) {
    double a = 0, b = 0, sum = 0;
    for (int64_t r = 0; r < rows; r++) {
        a += (double)x[r * dims + i] / (double)rows;
        b += (double)x[r * dims + j] / (double)rows;
    }
    for (int64_t r = 0; r < rows; r++)
        sum += ((double)x[r * dims + i] - a) * ((double)x[r * dims + j] - b);
    return sum / (double)(rows - 1);
}

/* More rows than dims, and fewer. */
static void components_are_eigenvectors_of_the_covariance(void **state) {
    static const int64_t sizes[][2] = {{40, 7}, {9, 30}};
    (void)state;
    for (int s = 0; s < 2; s++) {
        int64_t rows = sizes[s][0], dims = sizes[s][1], count = 5;
        float *x = normal(rows * dims, 1), *z = malloc(sizeof *z * (size_t)(rows * count));
        dl_pca p;
        for (int64_t i = 0; i < rows * dims; i++)
            x[i] = x[i] * (float)(1 + i % dims) + 3;
        assert_int_equal(dl_pca_fit(&p, x, rows, dims, count), 0);
        dl_pca_apply(&p, x, rows, z);
        double total = 0;
        for (int64_t i = 0; i < dims; i++)
            total += covariance(x, rows, dims, i, i);
        assert_true(fabs(total - p.total) < 1e-9 * total);
        for (int64_t k = 0; k < count; k++) {
            const double *c = p.component + k * dims;
            double length = 0, largest = 0;
            for (int64_t i = 0; i < dims; i++) {
                double product = 0;
                for (int64_t j = 0; j < dims; j++)
                    product += covariance(x, rows, dims, i, j) * c[j];
                assert_true(fabs(product - p.variance[k] * c[i]) < 1e-9 * total);
                length += c[i] * c[i];
                largest = fabs(c[i]) > fabs(largest) ? c[i] : largest;
            }
            assert_true(fabs(length - 1) < 1e-12 && largest > 0);
            assert_true(k == 0 || p.variance[k] < p.variance[k - 1]);
            assert_true(fabs(covariance(z, rows, count, k, k) - p.variance[k]) < 1e-5 * total);
        }
        dl_pca_free(&p);
        free(x);
        free(z);
    }
}

static void clusters_are_the_best_partition(void **state) {
    enum { ROWS = 12, DIMS = 3 };
    float *x = normal(ROWS * DIMS, 2), center[2 * DIMS];
    int32_t cluster[ROWS];
    double least = INFINITY, found = dl_kmeans(x, ROWS, DIMS, 2, 10, 1, cluster, center);
    (void)state;
    for (int set = 0; set < 1 << ROWS; set++) {
        double sum[2][DIMS] = {{0}}, count[2] = {0}, inertia = 0;
        for (int i = 0; i < ROWS; i++) {
            count[set >> i & 1]++;
            for (int d = 0; d < DIMS; d++)
                sum[set >> i & 1][d] += (double)x[i * DIMS + d];
        }
        for (int i = 0; i < ROWS * DIMS; i++) {
            int k = set >> (i / DIMS) & 1;
            double d = (double)x[i] - sum[k][i % DIMS] / count[k];
            inertia += d * d;
        }
        least = fmin(least, inertia);
    }
    assert_true(fabs(found - least) < 1e-5 * least);
    free(x);
}

/* Duplicates leave fewer distinct rows than clusters. */
static void clusters_of_equal_rows(void **state) {
    float x[12], center[8];
    int32_t cluster[6];
    (void)state;
    for (int i = 0; i < 12; i++)
        x[i] = (float)(i / 6);
    assert_true(dl_kmeans(x, 6, 2, 4, 3, 1, cluster, center) == 0);
    assert_true(cluster[0] != cluster[5]);
}

static void neighbors_are_the_nearest(void **state) {
    enum { ROWS = 50, DIMS = 9, COUNT = 7 };
    float *x = normal(ROWS * DIMS, 3), square[ROWS * COUNT];
    int32_t index[ROWS * COUNT];
    (void)state;
    memcpy(x + 3 * DIMS, x + 8 * DIMS, DIMS * sizeof *x); /* a tie */
    dl_neighbors(x, ROWS, DIMS, COUNT, index, square);
    for (int i = 0; i < ROWS; i++)
        for (int n = 0; n < COUNT; n++) {
            int at = i * COUNT + n, nearer = 0;
            float own = dl_square_distance(x + i * DIMS, x + index[at] * DIMS, DIMS);
            assert_true(own == square[at] && index[at] != i);
            for (int j = 0; j < ROWS; j++) {
                float d = dl_square_distance(x + i * DIMS, x + j * DIMS, DIMS);
                nearer += j != i && (d < own || (d == own && j < index[at]));
            }
            assert_int_equal(nearer, n);
        }
    free(x);
}

/* Three clusters far from each other stay apart, with the same bits for any number of threads. */
static void map_separates_clusters(void **state) {
    enum { ROWS = 300, DIMS = 6 };
    float *x = normal(ROWS * DIMS, 4), map[3][2 * ROWS + 4];
    (void)state;
    for (int i = 0; i < ROWS * DIMS; i++)
        x[i] += (float)(20 * (i / DIMS % 3) * (i % DIMS == 1));
    for (int exact = 0; exact < 2; exact++) {
        for (int t = 0; t < 3; t++) {
            dl_draw draw = {.seed = 1, .purpose = DL_FOR_TEST, .stream = 9};
            dl_threads_set(t + 1);
            dl_random_normal(&draw, 0, 2 * ROWS, map[t]);
            for (int i = 0; i < 2 * ROWS; i++)
                map[t][i] *= 1e-4f;
            dl_affinities a = dl_affinities_new(x, ROWS, DIMS, 15, exact);
            double before = dl_affinities_cost(&a, map[t]);
            dl_tsne(&a, 400, map[t]);
            assert_true(dl_affinities_cost(&a, map[t]) < before / 2);
            dl_affinities_free(&a);
            assert_memory_equal(map[0], map[t], 2 * ROWS * sizeof **map);
        }
        float points[2 * ROWS], square[ROWS];
        int32_t nearest[ROWS];
        for (int i = 0; i < 2 * ROWS; i++)
            points[i] = map[0][i % 2 * ROWS + i / 2];
        dl_neighbors(points, ROWS, 2, 1, nearest, square);
        for (int i = 0; i < ROWS; i++)
            assert_int_equal(nearest[i] % 3, i % 3);
    }
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(components_are_eigenvectors_of_the_covariance),
        cmocka_unit_test(clusters_are_the_best_partition),
        cmocka_unit_test(clusters_of_equal_rows),
        cmocka_unit_test(neighbors_are_the_nearest),
        cmocka_unit_test(map_separates_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
