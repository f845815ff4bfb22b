/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "metrics/metric.h"

/* Pixels above 0.5 are inside. Sums: pixels in both masks, in the output, in the target; NaN. */
static void add_masks(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows * o->channels; i++) {
        bool output = o->output[i] > 0.5f, target = o->target[i] > 0.5f;
        sums[0] += output && target;
        sums[1] += output;
        sums[2] += target;
        sums[3] += isnan(o->output[i]) ? NAN : 0;
    }
}

static double masks_iou(const double *sums) {
    double all = sums[1] + sums[2] - sums[0];
    return all > 0 ? sums[0] / all + sums[3] : NAN;
}

static double masks_dice(const double *sums) {
    double both = sums[1] + sums[2];
    return both > 0 ? 2 * sums[0] / both + sums[3] : NAN;
}

static double iou(const dl_class_count *c) {
    return dl_metric_ratio((double)c->correct, c->rows + c->predicted - c->correct);
}

static double iou_of_counts(const dl_class_count *count, int classes) {
    return dl_metric_macro(count, classes, iou);
}

static double dice(const dl_class_count *c) {
    return dl_metric_ratio(2 * (double)c->correct, c->rows + c->predicted);
}

static double dice_of_counts(const dl_class_count *count, int classes) {
    return dl_metric_macro(count, classes, dice);
}

const dl_metric dl_metric_iou = {
    .name = "iou",
    .help = "intersection over union of masks: the mean over the classes that occur or are "
            "predicted; for targets that are numbers from 0 to 1, of all pixels above 0.5",
    .for_classes = true,
    .for_numbers = true,
    .higher_is_better = true,
    .on_demand = true,
    .unit_targets = true,
    .add = add_masks,
    .of_sums = masks_iou,
    .of_counts = iou_of_counts,
    .column = "IoU",
    .of_class = iou,
    .column_for_masks = true,
};

const dl_metric dl_metric_dice = {
    .name = "dice",
    .help = "Dice coefficient of masks, 2 * intersection / (sum of both areas); otherwise as iou",
    .for_classes = true,
    .for_numbers = true,
    .higher_is_better = true,
    .on_demand = true,
    .unit_targets = true,
    .add = add_masks,
    .of_sums = masks_dice,
    .of_counts = dice_of_counts,
};
