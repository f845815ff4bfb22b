/* SPDX-License-Identifier: MIT */
#include "optim/line_search.h"

#include <math.h>

#include "math/solve.h"

static const double DECREASE = 1e-4;
enum { MOST_HALVINGS = 40, MOST_BRACKETS = 20, MOST_ZOOMS = 20 };

/* A point of the line. */
typedef struct {
    double a, value, slope;
} point;

static void move(dl_line *l, double a) {
    for (int64_t i = 0; i < l->f->count; i++)
        l->trial[i] = l->theta[i] + a * l->direction[i];
}

/* A point where f is not finite counts as infinite. */
static point evaluate_at(dl_line *l, double a) {
    move(l, a);
    double value = l->f->evaluate(l->f, l->trial, l->gradient);
    double slope = dl_dot(l->f->count, l->gradient, l->direction);
    bool good = isfinite(value) && isfinite(slope);
    return (point){a, good ? value : INFINITY, good ? slope : 0};
}

/* Smaller differences of f are rounding errors. */
static double rounding(const dl_line *l) {
    return l->f->precision * fabs(l->value);
}

static bool descends(const dl_line *l, const point *p) {
    return p->value <= l->value + DECREASE * p->a * l->slope + rounding(l) && isfinite(p->value);
}

double dl_line_armijo(dl_line *l) {
    double a = 1;
    for (int k = 0; k < MOST_HALVINGS; k++, a /= 2) {
        move(l, a);
        double value = l->f->evaluate(l->f, l->trial, NULL);
        point p = {a, isfinite(value) ? value : INFINITY, 0};
        l->found = value;
        if (descends(l, &p))
            return value < l->value ? a : 0;
    }
    return 0;
}

/* Minimizer of the cubic through two points with their slopes, (3.59) of Nocedal and Wright; NaN:
   none. */
static double minimum_of_cubic(const point *p, const point *q) {
    double d1 = p->slope + q->slope - 3 * (p->value - q->value) / (p->a - q->a);
    double d2 = copysign(sqrt(d1 * d1 - p->slope * q->slope), q->a - p->a);
    return q->a - (q->a - p->a) * (q->slope + d2 - d1) / (q->slope - p->slope + 2 * d2);
}

/* Kept away from both ends, so that the bracket always shrinks. */
static double interpolate(const point *low, const point *high) {
    double width = high->a - low->a, a = minimum_of_cubic(low, high);
    double share = (a - low->a) / width;
    if (!isfinite(share))
        return low->a + width / 2;
    return low->a + width * (share < 0.01 ? 0.01 : share > 0.99 ? 0.99 : share);
}

/* Beyond q, by 1 to 9 times the distance from p to q; 9 if the cubic has no minimum. */
static double extrapolate(const point *p, const point *q) {
    double width = q->a - p->a, share = (minimum_of_cubic(p, q) - q->a) / width;
    return q->a + width * (!(share < 9) ? 9 : share < 1 ? 1 : share);
}

/* Leaves trial and gradient at p; `is_last`: it is the last evaluated point. */
static double finish(dl_line *l, const point *p, bool is_last) {
    if (!(p->a > 0) || !(p->value < l->value))
        return 0;
    point again = is_last ? *p : evaluate_at(l, p->a);
    l->found = again.value;
    return p->a;
}

/* Algorithm 3.6: `low` is the better end of a bracket that contains acceptable points. */
static double zoom(dl_line *l, point low, point high, double curvature) {
    for (int k = 0; k < MOST_ZOOMS; k++) {
        double a = interpolate(&low, &high);
        if (fabs(high.a - low.a) <= 1e-14 * fabs(low.a))
            break;
        point p = evaluate_at(l, a);
        if (!descends(l, &p) || p.value >= low.value) {
            high = p;
            continue;
        }
        if (fabs(p.slope) <= -curvature * l->slope)
            return finish(l, &p, true);
        if (p.slope * (high.a - low.a) >= 0)
            high = low;
        low = p;
    }
    return finish(l, &low, false);
}

double dl_line_wolfe(dl_line *l, double first, double curvature) {
    point before = {0, l->value, l->slope};
    double a = first;
    for (int k = 0; k < MOST_BRACKETS; k++) {
        point p = evaluate_at(l, a);
        if (!descends(l, &p) || (k && p.value >= before.value))
            return zoom(l, before, p, curvature);
        if (fabs(p.slope) <= -curvature * l->slope)
            return finish(l, &p, true);
        if (p.slope >= 0)
            return zoom(l, p, before, curvature);
        a = extrapolate(&before, &p);
        before = p;
    }
    return finish(l, &before, true);
}
