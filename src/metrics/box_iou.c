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
    double width = o->origin ? o->origin[2] : 0, height = o->origin ? o->origin[3] : 0;
    for (int64_t i = 0; i < o->rows; i++) {
        const float *p = o->output + 4 * i, *t = o->target + 4 * i;
        double p_width = p[2] + width, p_height = p[3] + height;
        double t_width = t[2] + width, t_height = t[3] + height;
        double both =
            overlap(p[0], p_width, t[0], t_width) * overlap(p[1], p_height, t[1], t_height);
        double all = p_width * p_height + t_width * t_height - both;
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
