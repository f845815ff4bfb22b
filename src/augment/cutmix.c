/* SPDX-License-Identifier: MIT */
/* Pastes a rectangle of x_2 into x_1: sides sqrt(1 - lambda) of those of the image, center uniform,
   lambda ~ Beta(alpha, alpha), then set to the remaining area of x_1. Yun et al., "CutMix:
   regularization strategy to train strong classifiers with localizable features", ICCV 2019. */
#include <math.h>

#include "augment/augmentation.h"
#include "augment/beta.h"

typedef struct {
    dl_augmentation_common common;
    double alpha;
} mix_augmentation;

static const dl_option cutmix_options[] = {
    DL_AUGMENT_PROBABILITY("0.5"),
    DL_FLOAT_OPTION("alpha", mix_augmentation, alpha, "1.0", 0.01, 100,
                    "parameter of the beta distribution of the area fractions; 1: uniform"),
    DL_OPTIONS_END,
};

static double cutmix(const void *self, const dl_draw *draw, int height, int width, dl_box *box) {
    double side = sqrt(1 - dl_augment_beta(((const mix_augmentation *)self)->alpha, draw));
    int length[2] = {height, width}, area = 1;
    for (int axis = 0; axis < 2; axis++) {
        int size = (int)(length[axis] * side);
        int middle = (int)dl_augment_uniform(draw, axis, 0, length[axis]);
        int first = middle - size / 2, last = first + size;
        box->first[axis] = first < 0 ? 0 : first;
        box->last[axis] = last > length[axis] ? length[axis] : last;
        area *= box->last[axis] - box->first[axis];
    }
    return 1 - (double)area / ((double)height * width);
}

const dl_augmentation_type dl_augmentation_cutmix = {
    .kind = {"cutmix",
             "pastes a rectangle of another training image; the loss weights both targets by area",
             sizeof(mix_augmentation), cutmix_options},
    .mix = cutmix,
};
