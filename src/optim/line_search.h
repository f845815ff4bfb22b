/* SPDX-License-Identifier: MIT */
/* How far to go along a direction. */
#ifndef DL_OPTIM_LINE_SEARCH_H
#define DL_OPTIM_LINE_SEARCH_H

#include "optim/optimizer.h"

/* The line theta + a · direction, and what is known at its beginning. */
typedef struct {
    dl_function *f;
    const double *theta, *direction; /* [count] */
    double value, slope;             /* f and its derivative at a = 0; slope < 0 */
    /* Written: where it ends up. */
    double *trial, *gradient; /* [count]: theta + a · direction, and the gradient there */
    double found;             /* f there */
} dl_line;

/* The first of a = 1, 1/2, 1/4, … with f(a) <= f(0) + 1e-4 a f'(0) (Armijo 1966). The gradient
   there is not known. 0: there is none, down to where f is not precise enough to tell. */
double dl_line_armijo(dl_line *line);

/* An a with f(a) <= f(0) + 1e-4 a f'(0) and |f'(a)| <= curvature |f'(0)|: the strong Wolfe
   conditions, by algorithms 3.5 and 3.6 of Nocedal and Wright, "Numerical Optimization", 2nd
   edition, 2006, begun at `first`. Where f is not precise enough to find one, one that makes f less
   will do; 0: nor is there such a one. */
double dl_line_wolfe(dl_line *line, double first, double curvature);

#endif
