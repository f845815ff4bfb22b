/* SPDX-License-Identifier: MIT */
/* x = lambda x_1 + (1 - lambda) x_2, lambda ~ Beta(alpha, alpha), x_2 a random training image.
   Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018. */
#include "augment/augmentation.h"
#include "augment/beta.h"

typedef struct {
    dl_augmentation_common common;
    double alpha;
} mix_augmentation;

static const dl_option mixup_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("alpha", mix_augmentation, alpha, "0.2", 0.01, 100,
                    "parameter of the beta distribution of the weights: small values keep mostly "
                    "one of the two images, 1 is uniform, large values blend equally"),
    DL_OPTIONS_END,
};

static double mixup(const void *self, const dl_draw *draw, int height, int width, dl_box *box) {
    (void)height, (void)width, (void)box;
    return dl_augment_beta(((const mix_augmentation *)self)->alpha, draw);
}

const dl_augmentation_type dl_augmentation_mixup = {
    .kind = {"mixup",
             "blends with another training image; the loss weights both targets likewise, and the "
             "training accuracy counts the class with the larger weight. An image is mixed at most "
             "once, by the first mixup or cutmix of the list that is applied to it",
             sizeof(mix_augmentation), mixup_options},
    .mix = mixup,
};
