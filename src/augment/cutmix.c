/* SPDX-License-Identifier: MIT */
/* A rectangle of x_2 is pasted into x_1: its sides are sqrt(1 - lambda) of the image's, its middle
   is anywhere, lambda is from Beta(alpha, alpha) and then the share of x_1 that is left. Yun et
   al., "CutMix: regularization strategy to train strong classifiers with localizable features",
   ICCV 2019. */
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
                    "of the beta distribution of the shares of the area: 1 makes all alike"),
    DL_OPTIONS_END,
};

static double cutmix(const void *self, const dl_draw *draw, int height, int width, dl_box *box) {
    double side = sqrt(1 - dl_augment_beta(((const mix_augmentation *)self)->alpha, draw));
    int length[2] = {height, width}, area = 1;
    for (int axis = 0; axis < 2; axis++) {
        int size = (int)(length[axis] * side);
        int middle = (int)dl_augment_number(draw, axis, 0, length[axis]);
        int first = middle - size / 2, last = first + size;
        box->first[axis] = first < 0 ? 0 : first;
        box->last[axis] = last > length[axis] ? length[axis] : last;
        area *= box->last[axis] - box->first[axis];
    }
    return 1 - (double)area / ((double)height * width);
}

const dl_augmentation_type dl_augmentation_cutmix = {
    .kind = {"cutmix",
             "a rectangle of another training image is pasted in; the loss is that of both targets "
             "by their shares of the area",
             sizeof(mix_augmentation), cutmix_options},
    .mix = cutmix,
};
