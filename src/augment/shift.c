/* SPDX-License-Identifier: MIT */
/* New to old coordinates: (x - s, y - t). Simard, Steinkraus and Platt, "Best practices for
   convolutional neural networks applied to visual document analysis", ICDAR 2003. */
#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    double horizontal, vertical;
} shift_augmentation;

static const dl_option shift_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("horizontal", shift_augmentation, horizontal, "0.1", 0, 1,
                    "largest shift to the left or right, as a fraction of the width"),
    DL_FLOAT_OPTION("vertical", shift_augmentation, vertical, "0.1", 0, 1,
                    "largest shift up or down, as a fraction of the height"),
    DL_OPTIONS_END,
};

static void shift(const void *self, const dl_draw *draw, dl_transform *transform) {
    const shift_augmentation *own = self;
    double x = own->horizontal * transform->width, y = own->vertical * transform->height;
    dl_transform_compose(transform, (const double[]){1, 0, -dl_augment_uniform(draw, 0, -x, x), 0,
                                                     1, -dl_augment_uniform(draw, 1, -y, y)});
}

const dl_augmentation_type dl_augmentation_shift = {
    .kind = {"shift", "shifts by a random distance, including fractions of a pixel",
             sizeof(shift_augmentation), shift_options},
    .move = shift,
};
