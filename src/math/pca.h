/* SPDX-License-Identifier: MIT */
/* Principal components: Jolliffe, "Principal component analysis", 2002; by LAPACK in double, from
   the smaller of the covariance matrix and the matrix of the rows' products. */
#ifndef DL_MATH_PCA_H
#define DL_MATH_PCA_H

#include <stdint.h>

enum { DL_PCA_MOST = 8192 }; /* of the smaller of rows and dims: n² numbers */

typedef struct {
    int64_t dims, count;
    double *mean;      /* [dims] */
    double *component; /* [count][dims], of length 1, the largest variance first; the element of the
                          largest magnitude is positive */
    double *variance;  /* [count], with rows - 1 as divisor */
    double total;      /* variance of all components */
} dl_pca;

/* Of x[rows][dims], which are finite; count <= dims, count < rows. -1: LAPACK failed. Freed by
   dl_pca_free after either. */
int dl_pca_fit(dl_pca *pca, const float *x, int64_t rows, int64_t dims, int64_t count);
/* out[rows][count]: coordinates of x[rows][dims]. */
void dl_pca_apply(const dl_pca *pca, const float *x, int64_t rows, float *out);
void dl_pca_free(dl_pca *pca);

#endif
