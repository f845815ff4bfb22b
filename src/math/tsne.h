/* SPDX-License-Identifier: MIT */
/* t-SNE: van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 2008; of more than
   DL_TSNE_EXACT rows by the Barnes-Hut approximation, van der Maaten, "Accelerating t-SNE using
   tree-based algorithms", JMLR 2014. The same for any number of threads. */
#ifndef DL_MATH_TSNE_H
#define DL_MATH_TSNE_H

#include <stdbool.h>
#include <stdint.h>

enum { DL_TSNE_EXACT = 5000 };

/* The symmetric affinities p[i][j] of rows, whose sum is 1. */
typedef struct {
    int64_t rows;
    float *p;        /* [rows][rows], or [start[rows]] */
    int64_t *start;  /* [rows + 1], of the entries of a row; NULL: all pairs */
    int32_t *column; /* [start[rows]] */
} dl_affinities;

/* Of x[rows][dims], with perplexity < (rows - 1) / 3 of each row; unless `exact`, only between
   3 perplexity nearest neighbors. */
dl_affinities dl_affinities_new(const float *x, int64_t rows, int64_t dims, double perplexity,
                                bool exact);
void dl_affinities_free(dl_affinities *affinities);
/* KL(P || Q) in nats of map[2][rows]; takes rows² time. */
double dl_affinities_cost(const dl_affinities *affinities, const float *map);
/* gradient[2][rows] of the cost with P times `exaggeration`. */
void dl_affinities_gradient(const dl_affinities *affinities, float exaggeration, const float *map,
                            float *gradient);

/* Improves map[2][rows], whose values are small and not all the same, by gradient descent with
   momentum and gains: 250 iterations with early exaggeration, 12, come first. */
void dl_tsne(const dl_affinities *affinities, int64_t iterations, float *map);

#endif
