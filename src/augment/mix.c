/* SPDX-License-Identifier: MIT */
/* Augmentations that mix an image with another of the training part, and its target alike: with
   lambda from Beta(alpha, alpha)
     mixup   x = lambda x_1 + (1 - lambda) x_2. Zhang et al., "mixup: beyond empirical risk
             minimization", ICLR 2018.
     cutmix  a rectangle of x_2 is pasted into x_1, whose sides are sqrt(1 - lambda) of the image's
             and whose middle is anywhere; lambda is then the share of x_1 that is left. Yun et al.,
             "CutMix: regularization strategy to train strong classifiers with localizable
             features", ICCV 2019.
   The loss is lambda L(y_1) + (1 - lambda) L(y_2). The other image is drawn from all of the
   training part, not from the batch, so that it hangs on neither the batch's size nor its order. */
#include <math.h>

#include "data/augment.h"

typedef struct {
    dl_augmentation_common common;
    double alpha;
} mix_augmentation;

/* ln of a number from the gamma distribution of shape `alpha`: Marsaglia and Tsang, "A simple
   method for generating gamma variables", 2000; below 1 by that of alpha + 1. `first`: of the
   draw's numbers. */
static double log_gamma(const dl_draw *draw, double alpha, int64_t first) {
    double shape = alpha < 1 ? alpha + 1 : alpha, d = shape - 1.0 / 3, c = 1 / sqrt(9 * d), v = 1;
    float u[4];
    for (int round = 0; round < 64; round++) { /* one is rejected in fewer than 20 */
        float normal[4];
        dl_random_normal(draw, first + 8 * round, 1, normal);
        dl_random_uniform(draw, first + 8 * round + 4, 2, u);
        double x = (double)normal[0], root = 1 + c * x;
        v = root * root * root;
        if (root > 0 && log(1 - (double)u[0]) < 0.5 * x * x + d - d * v + d * log(v))
            break;
        v = 1;
    }
    double boost = alpha < 1 ? log(1 - (double)u[1]) / alpha : 0;
    return log(d * v) + boost;
}

static double draw_share(const mix_augmentation *own, const dl_draw *draw) {
    enum { ENOUGH = 512 };
    double a = log_gamma(draw, own->alpha, DL_AUGMENT_MANY);
    double b = log_gamma(draw, own->alpha, DL_AUGMENT_MANY + ENOUGH);
    return 1 / (1 + exp(b - a));
}

/* ---- mixup ---- */

static const dl_option mixup_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("alpha", mix_augmentation, alpha, "0.2", 0.01, 100,
                    "of the beta distribution of the shares: small ones leave mostly one of the "
                    "two, 1 makes all "
                    "shares alike, large ones make halves"),
    DL_OPTIONS_END,
};

static double mixup(const void *self, const dl_draw *draw, int height, int width, dl_box *box) {
    (void)height, (void)width, (void)box;
    return draw_share(self, draw);
}

const dl_augmentation_type dl_augmentation_mixup = {
    .kind = {"mixup",
             "blended with another training image; the loss is that of both targets by their "
             "shares, and the training accuracy counts the larger one. An image is mixed at most "
             "once: by the first of the list that is done to it",
             sizeof(mix_augmentation), mixup_options},
    .mix = mixup,
};

/* ---- cutmix ---- */

static const dl_option cutmix_options[] = {
    DL_AUGMENT_PROBABILITY("0.5"),
    DL_FLOAT_OPTION("alpha", mix_augmentation, alpha, "1.0", 0.01, 100,
                    "of the beta distribution of the shares of the area: 1 makes all alike"),
    DL_OPTIONS_END,
};

static double cutmix(const void *self, const dl_draw *draw, int height, int width, dl_box *box) {
    double side = sqrt(1 - draw_share(self, draw));
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
