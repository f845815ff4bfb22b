/* SPDX-License-Identifier: MIT */
/* Maps new to old places: (x + y tan a, y). */
#include <math.h>

#include "augment/augmentation.h"

static const double DEGREE = 3.14159265358979323846 / 180;

typedef struct {
    dl_augmentation_common common;
    double degrees;
} angle;

static const dl_option shear_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION(
        "degrees", angle, degrees, "10.0", 0, 60,
        "the largest angle by which vertical lines are slanted, to the left or to the right"),
    DL_OPTIONS_END,
};

static void shear(const void *self, const dl_draw *draw, dl_place *place) {
    double most = ((const angle *)self)->degrees * DEGREE;
    double a = dl_augment_number(draw, 0, -most, most);
    dl_place_add(place, (const double[]){1, tan(a), 0, 0, 1, 0});
}

const dl_augmentation_type dl_augmentation_shear = {
    .kind = {"shear", "slants by a random angle", sizeof(angle), shear_options},
    .move = shear,
};
