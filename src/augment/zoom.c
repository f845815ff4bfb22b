/* SPDX-License-Identifier: MIT */
/* New to old coordinates: (x / z, y / z). */
#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    double min, max;
} zoom_augmentation;

static const dl_option zoom_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("least", zoom_augmentation, min, "0.9", 0.1, 10,
                    "smallest scale; below 1 the image shrinks"),
    DL_FLOAT_OPTION("most", zoom_augmentation, max, "1.1", 0.1, 10, "largest scale"),
    DL_OPTIONS_END,
};

static int check_zoom(const void *self, dl_shape image, const char *where, dl_error *error) {
    const zoom_augmentation *own = self;
    if (image.rank || own->min <= own->max)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: zoom: least (%g) is greater than most (%g)", where,
                   own->min, own->max);
}

static void zoom(const void *self, const dl_draw *draw, dl_transform *transform) {
    const zoom_augmentation *own = self;
    double z = 1 / dl_augment_uniform(draw, 0, own->min, own->max);
    dl_transform_compose(transform, (const double[]){z, 0, 0, 0, z, 0});
}

const dl_augmentation_type dl_augmentation_zoom = {
    .kind = {"zoom", "scales about the center by a random factor", sizeof(zoom_augmentation),
             zoom_options},
    .check = check_zoom,
    .move = zoom,
};
