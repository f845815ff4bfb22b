/* SPDX-License-Identifier: MIT */
/* New to old coordinates: (x + y tan a, y). */
#include <math.h>

#include "augment/augmentation.h"

static const double DEGREE = 3.14159265358979323846 / 180;

typedef struct {
    dl_augmentation_common common;
    double degrees;
} angle;

static const dl_option shear_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("degrees", angle, degrees, "10.0", 0, 60,
                    "largest slant of vertical lines, in either direction"),
    DL_OPTIONS_END,
};

static void shear(const void *self, const dl_draw *draw, dl_transform *transform) {
    double max = ((const angle *)self)->degrees * DEGREE;
    double a = dl_augment_uniform(draw, 0, -max, max);
    dl_transform_compose(transform, (const double[]){1, tan(a), 0, 0, 1, 0});
}

const dl_augmentation_type dl_augmentation_shear = {
    .kind = {"shear", "slants by a random angle", sizeof(angle), shear_options},
    .move = shear,
};
