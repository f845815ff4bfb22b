/* SPDX-License-Identifier: MIT */
/* t-SNE in double: its gradient against central differences of its cost, and Barnes and Hut's
   approximation against the sums that it stands for. */
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "math/tsne.h"
#include "math/tsne_tree.h"

#include "harness.h"

enum { ROWS = 60, DIMS = 5 };

static float *normal(int64_t count, uint16_t stream, float scale) {
    float *x = malloc(sizeof *x * (size_t)(count + 4));
    dl_draw draw = {.seed = 3, .purpose = DL_FOR_TEST, .stream = stream};
    dl_random_normal(&draw, 0, count, x);
    for (int64_t i = 0; i < count; i++)
        x[i] *= scale;
    return x;
}

static void gradient_is_that_of_the_cost(void **state) {
    const float h = 1e-5f;
    float *x = normal(ROWS * DIMS, 1, 1), *map = normal(2 * ROWS, 2, 3), gradient[2 * ROWS];
    dl_affinities a = dl_affinities_new(x, ROWS, DIMS, 8, true);
    double largest = 0;
    (void)state;
    dl_affinities_gradient(&a, 1, map, gradient);
    for (int i = 0; i < 2 * ROWS; i++) {
        float at = map[i];
        map[i] = at + h;
        double above = dl_affinities_cost(&a, map);
        map[i] = at - h;
        double difference = (above - dl_affinities_cost(&a, map)) / (2 * h);
        map[i] = at;
        largest = fmax(largest, fabs(difference));
        if (fabs(difference - gradient[i]) > 1e-8)
            fail_msg("element %d: %.12g, by differences %.12g", i, gradient[i], difference);
    }
    assert_true(largest > 1e-3);
    dl_affinities_free(&a);
    free(x);
    free(map);
}

/* e^entropy of each row before it is made symmetric cannot be seen; but all sums can. */
static void affinities_are_a_symmetric_distribution(void **state) {
    float *x = normal(ROWS * DIMS, 1, 1);
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        dl_affinities a = dl_affinities_new(x, ROWS, DIMS, 8, exact);
        double all[ROWS][ROWS] = {{0}}, sum = 0;
        for (int64_t i = 0; i < ROWS; i++)
            for (int64_t e = a.start ? a.start[i] : i * ROWS;
                 e < (a.start ? a.start[i + 1] : (i + 1) * ROWS); e++) {
                double *entry = &all[i][a.start ? a.column[e] : e % ROWS];
                assert_true(*entry == 0);
                *entry = a.p[e];
                sum += a.p[e];
            }
        assert_true(fabs(sum - 1) < 1e-9);
        for (int i = 0; i < ROWS; i++) {
            assert_true(all[i][i] == 0);
            for (int j = 0; j < i; j++)
                assert_true(fabs(all[i][j] - all[j][i]) < 1e-12);
        }
        dl_affinities_free(&a);
    }
    free(x);
}

/* Two pairs of far clusters of `perplexity` + 1 rows each: p is uniform within a cluster. */
static void perplexity_is_the_number_of_neighbors(void **state) {
    float x[3 * 11];
    (void)state;
    for (int i = 0; i < 33; i++)
        x[i] = (float)(100 * (i / 11)) + 1e-3f * (float)(i % 11 == 0);
    dl_affinities a = dl_affinities_new(x, 33, 1, 10, true);
    for (int i = 0; i < 33; i++)
        for (int j = 0; j < 33; j++)
            if (i != j)
                assert_true(fabs(a.p[i * 33 + j] - (i / 11 == j / 11 ? 1 / 330.0 : 0)) < 2e-5);
    dl_affinities_free(&a);
}

static void tree_approximates_the_repulsion(void **state) {
    enum { POINTS = 2000 };
    float *map = normal(2 * POINTS, 4, 20);
    dl_tree tree = {0};
    double error = 0, length = 0;
    (void)state;
    map[1] = map[0]; /* two at one place */
    map[POINTS + 1] = map[POINTS];
    for (int again = 0; again < 2; again++)
        dl_tree_build(&tree, map, POINTS);
    for (int i = 0; i < POINTS; i++) {
        double sum = 0, x = 0, y = 0, out[2];
        for (int j = 0; j < POINTS; j++) {
            double dx = map[i] - map[j], dy = map[POINTS + i] - map[POINTS + j];
            double w = 1 / (1 + dx * dx + dy * dy);
            sum += w;
            x += w * w * dx;
            y += w * w * dy;
        }
        double about = dl_tree_repel(&tree, map[i], map[POINTS + i], out);
        assert_true(fabs(about - sum) < 0.02 * sum);
        error += pow(out[0] - x, 2) + pow(out[1] - y, 2);
        length += x * x + y * y;
    }
    assert_true(sqrt(error / length) < 0.02);
    assert_true(tree.nodes < 4 * POINTS);
    dl_tree_free(&tree);
    free(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_is_that_of_the_cost),
        cmocka_unit_test(affinities_are_a_symmetric_distribution),
        cmocka_unit_test(perplexity_is_the_number_of_neighbors),
        cmocka_unit_test(tree_approximates_the_repulsion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
