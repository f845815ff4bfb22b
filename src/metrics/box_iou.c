/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "metrics/metric.h"

/* The length of the overlap of [a, a + a_length) and [b, b + b_length). */
static double overlap(double a, double a_length, double b, double b_length) {
    double from = a > b ? a : b, a_to = a + a_length, b_to = b + b_length;
    double to = a_to < b_to ? a_to : b_to;
    return to > from ? to - from : 0;
}

static void add_boxes(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows; i++) {
        const float *p = o->output + 4 * i, *t = o->target + 4 * i;
        double both = overlap(p[0], p[2], t[0], t[2]) * overlap(p[1], p[3], t[1], t[3]);
        double all = (double)p[2] * p[3] + (double)t[2] * t[3] - both;
        sums[0] += all > 0 ? both / all : 0;
        sums[0] += isnan(p[0] + p[1] + p[2] + p[3]) ? NAN : 0;
    }
    sums[1] += (double)o->rows;
}

const dl_metric dl_metric_box_iou = {
    .name = "box_iou",
    .help = "mean intersection over union of boxes: targets of four numbers x, y, width, height, "
            "with (x, y) the corner with the smallest coordinates",
    .for_numbers = true,
    .higher_is_better = true,
    .on_demand = true,
    .outputs = 4,
    .add = add_boxes,
    .of_sums = dl_metric_mean,
};
