/* SPDX-License-Identifier: MIT */
/* k-means: Lloyd, "Least squares quantization in PCM", 1982, begun by greedy k-means++ (Arthur and
   Vassilvitskii, SODA 2007). */
#ifndef DL_MATH_KMEANS_H
#define DL_MATH_KMEANS_H

#include <stdbool.h>
#include <stdint.h>

/* Assigns each row of x[rows][dims] to one of `clusters` <= rows, the best of `restarts`:
   cluster[rows], center[clusters][dims]. Returns the inertia, the sum of the squared distances to
   the centers. The same for any number of threads. */
double dl_kmeans(const float *x, int64_t rows, int64_t dims, int clusters, int restarts,
                 uint64_t seed, int32_t *cluster, float *center);

#endif
