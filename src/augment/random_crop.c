/* SPDX-License-Identifier: MIT */
/* A shift by whole pixels. Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep
   convolutional neural networks", 2012; with padding Lee et al., "Deeply-supervised nets", 2015. */
#include <math.h>

#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    int64_t padding;
} crop_augmentation;

static const dl_option crop_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_INT_OPTION(
        "padding", crop_augmentation, padding, "4", 1, 1 << 15,
        "pixels added on all sides, filled as augment_border says; 4 is usual for 32x32 images"),
    DL_OPTIONS_END,
};

static int check_crop(const void *self, dl_shape image, const char *where, dl_error *error) {
    const crop_augmentation *own = self;
    int side = image.dim[0] < image.dim[1] ? image.dim[0] : image.dim[1];
    if (!image.rank || own->padding < side)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: random_crop: a padding of %lld pixels can crop images of %dx%d entirely "
                   "from the border (at most %d)",
                   where, (long long)own->padding, image.dim[0], image.dim[1], side - 1);
}

static void random_crop(const void *self, const dl_draw *draw, dl_transform *transform) {
    double padding = (double)((const crop_augmentation *)self)->padding;
    double x = floor(dl_augment_uniform(draw, 0, 0, 2 * padding + 1)) - padding;
    double y = floor(dl_augment_uniform(draw, 1, 0, 2 * padding + 1)) - padding;
    dl_transform_compose(transform, (const double[]){1, 0, x, 0, 1, y});
}

const dl_augmentation_type dl_augmentation_random_crop = {
    .kind = {"random_crop", "pads the image, then crops its original size at a random position",
             sizeof(crop_augmentation), crop_options},
    .check = check_crop,
    .move = random_crop,
};
