/* SPDX-License-Identifier: MIT */
#include "math/tsne.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "math/neighbors.h"
#include "math/tsne_tree.h"

/* ---- affinities ---- */

/* Replaces p[count], squared distances, by p[j] = e^(-beta p[j]) / sum, where beta gives the
   entropy H = ln(perplexity): by Newton's method, dH / dbeta = -beta var(p), or else bisection.
   p[self]
   (-1: none) becomes 0. */
static void set_row(float *p, int64_t count, int64_t self, double perplexity) {
    enum { STEPS = 60 };
    double low = 0, high = INFINITY, beta = 0, least = INFINITY, sum = 0;
    for (int64_t j = 0; j < count; j++)
        least = j != self && (double)p[j] < least ? (double)p[j] : least;
    for (int64_t j = 0; j < count; j++)
        sum += j == self ? 0 : (double)p[j] - least;
    beta = sum > 0 ? (double)count / sum : 1;
    for (int step = 0; step < STEPS; step++) {
        double mean = 0, square = 0;
        sum = 0;
        for (int64_t j = 0; j < count; j++) {
            double d = (double)p[j] - least, e = j == self ? 0 : exp(-beta * d);
            sum += e;
            mean += e * d;
            square += e * d * d;
        }
        mean /= sum;
        double excess = log(sum) + beta * mean - log(perplexity);
        if (fabs(excess) < 1e-6)
            break;
        *(excess > 0 ? &low : &high) = beta;
        beta += excess / (beta * (square / sum - mean * mean));
        if (!(beta > low && beta < high))
            beta = isinf(high) ? 2 * low : (low + high) / 2;
    }
    for (int64_t j = 0; j < count; j++)
        p[j] = j == self ? 0 : (float)(exp(-beta * ((double)p[j] - least)) / sum);
}

static void set_all(dl_affinities *a, const float *x, int64_t dims, double perplexity) {
    int64_t n = a->rows;
    a->p = xmalloc(sizeof *a->p * (size_t)(n * n));
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            a->p[i * n + j] = dl_square_distance(x + i * dims, x + j * dims, dims);
        set_row(a->p + i * n, n, i, perplexity);
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            a->p[i * n + j] = a->p[j * n + i] =
                (a->p[i * n + j] + a->p[j * n + i]) / (float)(2 * n);
}

/* The entry of row i for row j, among the first `count`; it is appended if it is new. */
static void add_entry(dl_affinities *a, int64_t i, int32_t j, int64_t *count, float p) {
    int64_t at = a->start[i];
    while (at < a->start[i] + *count && a->column[at] != j)
        at++;
    if (at == a->start[i] + *count) {
        ++*count;
        a->column[at] = j;
        a->p[at] = 0;
    }
    a->p[at] += p;
}

/* (p(j|i) + p(i|j)) / 2n of k neighbors of each row. */
static void symmetrize(dl_affinities *a, const int32_t *index, const float *p, int64_t k) {
    int64_t n = a->rows, *count = xcalloc((size_t)n, sizeof *count), end = 0;
    for (int64_t e = 0; e < n * k; e++)
        count[index[e]]++;
    a->start = xmalloc(sizeof *a->start * (size_t)(n + 1));
    for (int64_t i = 0; i < n; i++) {
        a->start[i] = end;
        end += k + count[i];
        count[i] = 0;
    }
    a->p = xmalloc(sizeof *a->p * (size_t)end);
    a->column = xmalloc(sizeof *a->column * (size_t)end);
    for (int64_t e = 0; e < n * k; e++) {
        float half = p[e] / (float)(2 * n);
        add_entry(a, e / k, index[e], &count[e / k], half);
        add_entry(a, index[e], (int32_t)(e / k), &count[index[e]], half);
    }
    end = 0;
    for (int64_t i = 0; i < n; i++) { /* closes the gaps */
        memmove(a->p + end, a->p + a->start[i], sizeof *a->p * (size_t)count[i]);
        memmove(a->column + end, a->column + a->start[i], sizeof *a->column * (size_t)count[i]);
        a->start[i] = end;
        end += count[i];
    }
    a->start[n] = end;
    free(count);
}

static void set_nearest(dl_affinities *a, const float *x, int64_t dims, double perplexity) {
    int64_t n = a->rows, k = (int64_t)(3 * perplexity);
    int32_t *index = xmalloc(sizeof *index * (size_t)(n * k));
    float *p = xmalloc(sizeof *p * (size_t)(n * k));
    dl_neighbors(x, n, dims, k, index, p);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        set_row(p + i * k, k, -1, perplexity);
    symmetrize(a, index, p, k);
    free(index);
    free(p);
}

dl_affinities dl_affinities_new(const float *x, int64_t rows, int64_t dims, double perplexity,
                                bool exact) {
    dl_affinities a = {.rows = rows};
    if (exact)
        set_all(&a, x, dims, perplexity);
    else
        set_nearest(&a, x, dims, perplexity);
    return a;
}

void dl_affinities_free(dl_affinities *a) {
    free(a->p);
    free(a->start);
    free(a->column);
    *a = (dl_affinities){0};
}

/* ---- the cost ---- */

static double similarity(const dl_affinities *a, const float *map, int64_t i, int64_t j) {
    double dx = (double)map[i] - (double)map[j],
           dy = (double)map[a->rows + i] - (double)map[a->rows + j];
    return 1 / (1 + dx * dx + dy * dy);
}

double dl_affinities_cost(const dl_affinities *a, const float *map) {
    int64_t n = a->rows;
    double *part = xmalloc(sizeof *part * (size_t)n), total = 0, cost = 0;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        part[i] = -1;
        for (int64_t j = 0; j < n; j++)
            part[i] += similarity(a, map, i, j);
    }
    for (int64_t i = 0; i < n; i++)
        total += part[i];
    for (int64_t i = 0; i < n; i++) {
        int64_t first = a->start ? a->start[i] : i * n,
                last = a->start ? a->start[i + 1] : first + n;
        for (int64_t e = first; e < last; e++) {
            double p = (double)a->p[e];
            int64_t j = a->start ? a->column[e] : e - first;
            if (p > 0)
                cost += p * log(p * total / similarity(a, map, i, j));
        }
    }
    free(part);
    return cost;
}

/* Sums over the other points j, with d = map[i] - map[j] and w = 1 / (1 + |d|²): of w, and vectors
   of p w d and w² d. */
typedef struct {
    double total, attract[2], repel[2];
} forces;

static forces exact_forces(const dl_affinities *a, const float *map, int64_t i) {
    int64_t n = a->rows;
    const float *p = a->p + i * n, *x = map, *y = map + n, xi = x[i], yi = y[i];
    float total = 0, ax = 0, ay = 0, rx = 0, ry = 0;
#pragma omp simd reduction(+ : total, ax, ay, rx, ry)
    for (int64_t j = 0; j < n; j++) {
        float dx = xi - x[j], dy = yi - y[j], w = 1 / (1 + dx * dx + dy * dy);
        total += w;
        ax += p[j] * w * dx;
        ay += p[j] * w * dy;
        rx += w * w * dx;
        ry += w * w * dy;
    }
    return (forces){(double)total - 1, {(double)ax, (double)ay}, {(double)rx, (double)ry}};
}

static forces tree_forces(const dl_affinities *a, const dl_tree *tree, const float *map,
                          int64_t i) {
    int64_t n = a->rows;
    forces f = {0};
    for (int64_t e = a->start[i]; e < a->start[i + 1]; e++) {
        int64_t j = a->column[e];
        float dx = map[i] - map[j], dy = map[n + i] - map[n + j];
        float w = a->p[e] / (1 + dx * dx + dy * dy);
        f.attract[0] += (double)(w * dx);
        f.attract[1] += (double)(w * dy);
    }
    f.total = dl_tree_repel(tree, map[i], map[n + i], f.repel) - 1;
    return f;
}

static void compute(const dl_affinities *a, dl_tree *tree, forces *f, float exaggeration,
                    const float *map, float *gradient) {
    int64_t n = a->rows;
    double total = 0;
    if (a->start)
        dl_tree_build(tree, map, n);
#pragma omp parallel for schedule(dynamic, 32)
    for (int64_t i = 0; i < n; i++)
        f[i] = a->start ? tree_forces(a, tree, map, i) : exact_forces(a, map, i);
    for (int64_t i = 0; i < n; i++)
        total += f[i].total;
    for (int64_t i = 0; i < n; i++)
        for (int axis = 0; axis < 2; axis++)
            gradient[axis * n + i] =
                (float)(4 * ((double)exaggeration * f[i].attract[axis] - f[i].repel[axis] / total));
}

void dl_affinities_gradient(const dl_affinities *a, float exaggeration, const float *map,
                            float *gradient) {
    forces *f = xmalloc(sizeof *f * (size_t)a->rows);
    dl_tree tree = {0};
    compute(a, &tree, f, exaggeration, map, gradient);
    dl_tree_free(&tree);
    free(f);
}

/* ---- descent ---- */

/* One step with gains: Jacobs, "Increased rates of convergence through learning rate adaptation",
   1988. */
static void step(int64_t count, float rate, float momentum, const float *gradient, float *velocity,
                 float *gain, float *map) {
    for (int64_t i = 0; i < count; i++) {
        bool same = (gradient[i] > 0) == (velocity[i] > 0);
        gain[i] = same ? fmaxf(gain[i] * 0.8f, 0.01f) : gain[i] + 0.2f;
        velocity[i] = momentum * velocity[i] - rate * gain[i] * gradient[i];
        map[i] += velocity[i];
    }
}

static void center(float *map, int64_t n) {
    for (int axis = 0; axis < 2; axis++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += (double)map[axis * n + i];
        for (int64_t i = 0; i < n; i++)
            map[axis * n + i] -= (float)(sum / (double)n);
    }
}

/* The learning rate is that of Belkina et al., "Automated optimized parameters for t-distributed
   stochastic neighbor embedding", 2019, for a gradient that has the factor 4. */
void dl_tsne(const dl_affinities *a, int64_t iterations, float *map) {
    enum { EARLY = 250, EXAGGERATION = 12, LEAST_RATE = 50 };
    int64_t n = a->rows;
    forces *f = xmalloc(sizeof *f * (size_t)n);
    float *gradient = xcalloc((size_t)(6 * n), sizeof *gradient);
    float *velocity = gradient + 2 * n, *gain = velocity + 2 * n;
    float rate = fmaxf(LEAST_RATE, (float)n / (4 * EXAGGERATION));
    dl_tree tree = {0};
    for (int64_t i = 0; i < 2 * n; i++)
        gain[i] = 1;
    for (int64_t t = 0; t < iterations; t++) {
        bool early = t < EARLY;
        compute(a, &tree, f, early ? EXAGGERATION : 1, map, gradient);
        step(2 * n, rate, early ? 0.5f : 0.8f, gradient, velocity, gain, map);
        center(map, n);
    }
    dl_tree_free(&tree);
    free(gradient);
    free(f);
}
