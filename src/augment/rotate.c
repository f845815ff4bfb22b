/* SPDX-License-Identifier: MIT */
/* New to old coordinates, y down: (x cos a - y sin a, x sin a + y cos a), counter-clockwise by a.
 */
#include <math.h>

#include "augment/augmentation.h"

static const double DEGREE = 3.14159265358979323846 / 180;

typedef struct {
    dl_augmentation_common common;
    double degrees;
} angle;

static const dl_option rotate_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("degrees", angle, degrees, "15.0", 0, 180, "largest angle in either direction"),
    DL_OPTIONS_END,
};

static void rotate(const void *self, const dl_draw *draw, dl_transform *transform) {
    double max = ((const angle *)self)->degrees * DEGREE;
    double a = dl_augment_uniform(draw, 0, -max, max), c = cos(a), s = sin(a);
    dl_transform_compose(transform, (const double[]){c, -s, 0, s, c, 0});
}

const dl_augmentation_type dl_augmentation_rotate = {
    .kind = {"rotate", "rotates around the center by a random angle", sizeof(angle),
             rotate_options},
    .move = rotate,
};
