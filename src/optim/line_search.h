/* SPDX-License-Identifier: MIT */
/* Line searches: the length of a step along a direction. */
#ifndef DL_OPTIM_LINE_SEARCH_H
#define DL_OPTIM_LINE_SEARCH_H

#include "optim/optimizer.h"

/* The line theta + a · direction, a > 0. */
typedef struct {
    dl_function *f;
    const double *theta, *direction; /* [count] */
    double value, slope;             /* f and its derivative at a = 0; slope < 0 */
    /* Results: */
    double *trial, *gradient; /* [count]: theta + a · direction, and the gradient there */
    double found;             /* f there */
} dl_line;

/* The first of a = 1, 1/2, 1/4, … with f(a) <= f(0) + 1e-4 a f'(0) (Armijo 1966), or 0 if
   there is none down to the precision of f. Does not set `gradient`. */
double dl_line_armijo(dl_line *line);

/* An a with f(a) <= f(0) + 1e-4 a f'(0) and |f'(a)| <= curvature |f'(0)|: the strong Wolfe
   conditions, by algorithms 3.5 and 3.6 of Nocedal and Wright, "Numerical Optimization", 2nd
   edition, 2006, starting from `first`. If f is not precise enough for that, an a that decreases f,
   or 0 if there is none. */
double dl_line_wolfe(dl_line *line, double first, double curvature);

#endif
