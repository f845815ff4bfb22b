/* SPDX-License-Identifier: MIT */
/* Small dense systems in double by LAPACK, on one thread: the bits do not depend on the number of
   threads. Square matrices are row-major [n][n]. */
#ifndef DL_MATH_SOLVE_H
#define DL_MATH_SOLVE_H

#include <stdbool.h>
#include <stdint.h>

double dl_dot(int64_t n, const double *a, const double *b);
/* y[n] = a[n][n] · x[n] for a symmetric a whose lower triangle is read. */
void dl_symmetric_times(int64_t n, const double *a, const double *x, double *y);
/* a[n][n] += c · x x' for a symmetric a, lower triangle only. */
void dl_symmetric_add(int64_t n, double c, const double *x, double *a);
/* a[n][n] += c · (x y' + y x'), lower triangle. */
void dl_symmetric_add_pair(int64_t n, double c, const double *x, const double *y, double *a);
/* a[n][n] += rows' · rows, for rows[count][n], lower triangle. */
void dl_symmetric_add_rows(int64_t n, int64_t count, const double *rows, double *a);
/* y[n] += rows' · x[count], for rows[count][n]. */
void dl_add_rows_times(int64_t n, int64_t count, const double *rows, const double *x, double *y);

/* Solves a · x = b by Cholesky's decomposition. a[n][n], its lower triangle, becomes the factor,
   b[n] becomes x. False if a is not positive definite: then a is overwritten and b unchanged. */
bool dl_cholesky_solve(int64_t n, double *a, double *b);

/* Least squares over rows that come in blocks: r[n + 1][n + 1] is the triangle of the QR
   decomposition of all of [J b], zero at the beginning. */
int64_t dl_triangle_work(int64_t n, int64_t most_rows);
/* Adds `count` rows of J[count][n] and of b[count]; work[dl_triangle_work]. */
void dl_triangle_add(int64_t n, int64_t count, const double *j, const double *b, double *r,
                     double *work);
/* x[n] = the shortest of those that make |J x - b| least; `scaled`: with J's columns scaled to
   length 1, so that their units do not matter. Singular values below `smallest` of the largest
   count as 0. Returns the rank of J. work[dl_triangle_solve_work]; r stays. */
int64_t dl_triangle_solve_work(int64_t n);
int64_t dl_triangle_solve(int64_t n, const double *r, bool scaled, double smallest, double *x,
                          double *work);

#endif
