/* SPDX-License-Identifier: MIT */
/* p <- f p for each value p, f uniform in [1 - by, 1 + by]. */
#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    double by;
} factor;

static const dl_option brightness_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("by", factor, by, "0.2", 0, 1,
                    "all values are multiplied by a factor between 1 - by and 1 + by"),
    DL_OPTIONS_END,
};

static void brightness(const void *self, const dl_draw *draw, dl_picture *p) {
    double by = ((const factor *)self)->by;
    float f = (float)dl_augment_uniform(draw, 0, 1 - by, 1 + by);
    for (int64_t i = 0, size = dl_picture_size(p); i < size; i++)
        p->x[i] *= f;
    dl_picture_clamp(p);
}

const dl_augmentation_type dl_augmentation_brightness = {
    .kind = {"brightness", "changes the brightness", sizeof(factor), brightness_options},
    .paint = brightness,
};
