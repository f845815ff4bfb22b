/* SPDX-License-Identifier: MIT */
/* p <- g + f (p - g) for each value p, g the gray of its pixel, f uniform in [1 - by, 1 + by]. */
#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    double by;
} factor;

static const dl_option saturation_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION(
        "by", factor, by, "0.2", 0, 1,
        "differences of each color from gray are multiplied by a factor between 1 - by and 1 + by"),
    DL_OPTIONS_END,
};

static int check_saturation(const void *self, dl_shape image, const char *where, dl_error *error) {
    (void)self;
    return dl_augment_check_rgb("saturation", image, where, error);
}

static void saturation(const void *self, const dl_draw *draw, dl_picture *p) {
    double by = ((const factor *)self)->by;
    float f = (float)dl_augment_uniform(draw, 0, 1 - by, 1 + by);
    for (int64_t i = 0; i < (int64_t)p->height * p->width; i++) {
        float *x = p->x + 3 * i, gray = dl_picture_gray(x);
        for (int c = 0; c < 3; c++)
            x[c] = gray + f * (x[c] - gray);
    }
    dl_picture_clamp(p);
}

const dl_augmentation_type dl_augmentation_saturation = {
    .kind = {"saturation", "changes the saturation of colors", sizeof(factor), saturation_options},
    .check = check_saturation,
    .paint = saturation,
};
