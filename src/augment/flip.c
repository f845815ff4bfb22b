/* SPDX-License-Identifier: MIT */
/* New to old coordinates: flip_horizontal (-x, y), flip_vertical (x, -y). */
#include "augment/augmentation.h"

static const dl_option flip_options[] = {DL_AUGMENT_PROBABILITY("0.5"), DL_OPTIONS_END};

static void flip_horizontal(const void *self, const dl_draw *draw, dl_transform *transform) {
    (void)self, (void)draw;
    dl_transform_compose(transform, (const double[]){-1, 0, 0, 0, 1, 0});
}

static void flip_vertical(const void *self, const dl_draw *draw, dl_transform *transform) {
    (void)self, (void)draw;
    dl_transform_compose(transform, (const double[]){1, 0, 0, 0, -1, 0});
}

const dl_augmentation_type dl_augmentation_flip_horizontal = {
    .kind = {"flip_horizontal", "mirrors left and right; not for text and digits",
             sizeof(dl_augmentation_common), flip_options},
    .move = flip_horizontal,
};

const dl_augmentation_type dl_augmentation_flip_vertical = {
    .kind = {"flip_vertical",
             "mirrors top and bottom; for images without an upright direction, such as aerial ones",
             sizeof(dl_augmentation_common), flip_options},
    .move = flip_vertical,
};
