/* SPDX-License-Identifier: MIT */
#include "math/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "math/neighbors.h"

enum { MOST_PASSES = 300 };

typedef struct {
    const float *x;
    int64_t rows, dims;
    int clusters;
    dl_draw draw;
    int32_t *cluster;                 /* [rows] */
    float *center;                    /* [clusters][dims] */
    float *square, *candidate, *best; /* [rows]: squared distance to the nearest center */
} state;

/* A row with probability square[row] / total; any row if total is 0. */
static int64_t choose(state *s, double total) {
    float uniform[4];
    double sum = 0;
    dl_random_uniform(&s->draw, 0, 4, uniform);
    s->draw.step++;
    double at = (double)uniform[0] + (double)uniform[1] / (1 << 24);
    for (int64_t i = 0; i < s->rows && total > 0; i++)
        if ((sum += (double)s->square[i]) > at * total)
            return i;
    return (int64_t)(at * (double)s->rows) % s->rows;
}

/* square[] with a further center. Returns its sum. */
static double nearer(const state *s, const float *center, float *square) {
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < s->rows; i++)
        square[i] = fminf(s->square[i], dl_square_distance(s->x + i * s->dims, center, s->dims));
    double sum = 0;
    for (int64_t i = 0; i < s->rows; i++)
        sum += (double)square[i];
    return sum;
}

/* Of some candidates, the one that leaves the smallest sum becomes the next center. */
static void begin(state *s) {
    int trials = 2 + (int)log(s->clusters);
    double total = 0;
    for (int64_t i = 0; i < s->rows; i++)
        s->square[i] = INFINITY;
    for (int c = 0; c < s->clusters; c++) {
        double least = INFINITY;
        for (int t = 0; t < (c ? trials : 1); t++) {
            const float *x = s->x + choose(s, total) * s->dims;
            double sum = nearer(s, x, s->candidate);
            if (!t || sum < least) {
                float *other = s->best;
                least = sum;
                s->best = s->candidate;
                s->candidate = other;
                memcpy(s->center + c * s->dims, x, sizeof *x * (size_t)s->dims);
            }
        }
        memcpy(s->square, s->best, sizeof *s->best * (size_t)s->rows);
        total = least;
    }
}

/* Returns whether an assignment changed. */
static bool assign(state *s) {
    int64_t changes = 0;
#pragma omp parallel for schedule(static) reduction(+ : changes)
    for (int64_t i = 0; i < s->rows; i++) {
        int best = 0;
        for (int c = 0; c < s->clusters; c++) {
            float d = dl_square_distance(s->x + i * s->dims, s->center + c * s->dims, s->dims);
            if (!c || d < s->square[i]) {
                best = c;
                s->square[i] = d;
            }
        }
        changes += s->cluster[i] != best;
        s->cluster[i] = best;
    }
    return changes > 0;
}

/* A cluster without rows becomes the row that is farthest from its center. */
static void update(state *s) {
    double *sum = xcalloc((size_t)(s->clusters * s->dims), sizeof *sum);
    int64_t *count = xcalloc((size_t)s->clusters, sizeof *count);
#pragma omp parallel for schedule(dynamic)
    for (int c = 0; c < s->clusters; c++)
        for (int64_t i = 0; i < s->rows; i++)
            if (s->cluster[i] == c) {
                count[c]++;
                for (int64_t j = 0; j < s->dims; j++)
                    sum[c * s->dims + j] += (double)s->x[i * s->dims + j];
            }
    for (int c = 0; c < s->clusters; c++) {
        int64_t farthest = 0;
        for (int64_t i = 1; i < s->rows && !count[c]; i++)
            farthest = s->square[i] > s->square[farthest] ? i : farthest;
        for (int64_t j = 0; j < s->dims; j++)
            s->center[c * s->dims + j] = count[c] ? (float)(sum[c * s->dims + j] / (double)count[c])
                                                  : s->x[farthest * s->dims + j];
        s->square[farthest] = count[c] ? s->square[farthest] : 0;
    }
    free(sum);
    free(count);
}

double dl_kmeans(const float *x, int64_t rows, int64_t dims, int clusters, int restarts,
                 uint64_t seed, int32_t *cluster, float *center) {
    size_t n = (size_t)rows, size = (size_t)(clusters * dims);
    state s = {.x = x, .rows = rows, .dims = dims, .clusters = clusters};
    double least = INFINITY;
    s.cluster = xmalloc(sizeof *s.cluster * n);
    s.center = xmalloc(sizeof *s.center * size);
    s.square = xmalloc(sizeof *s.square * n);
    s.candidate = xmalloc(sizeof *s.candidate * n);
    s.best = xmalloc(sizeof *s.best * n);
    for (int r = 0; r < restarts; r++) {
        s.draw = (dl_draw){.seed = seed, .purpose = DL_FOR_EMBEDDING, .epoch = (uint32_t)r};
        memset(s.cluster, -1, sizeof *s.cluster * n);
        begin(&s);
        for (int pass = 0; assign(&s) && pass < MOST_PASSES; pass++)
            update(&s);
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (double)s.square[i];
        if (sum < least) {
            least = sum;
            memcpy(cluster, s.cluster, sizeof *cluster * n);
            memcpy(center, s.center, sizeof *center * size);
        }
    }
    free(s.cluster);
    free(s.center);
    free(s.square);
    free(s.candidate);
    free(s.best);
    return least;
}
