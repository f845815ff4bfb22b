/* SPDX-License-Identifier: MIT */
/* Maps new to old places: (x / z, y / z). */
#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    double least, most;
} zoom_augmentation;

static const dl_option zoom_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("least", zoom_augmentation, least, "0.9", 0.1, 10,
                    "the smallest scale; below 1 the image shrinks"),
    DL_FLOAT_OPTION("most", zoom_augmentation, most, "1.1", 0.1, 10, "the largest scale"),
    DL_OPTIONS_END,
};

static int check_zoom(const void *self, dl_shape image, const char *where, dl_error *error) {
    const zoom_augmentation *own = self;
    if (image.rank || own->least <= own->most)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: zoom: least (%g) is more than most (%g)", where,
                   own->least, own->most);
}

static void zoom(const void *self, const dl_draw *draw, dl_place *place) {
    const zoom_augmentation *own = self;
    double z = 1 / dl_augment_number(draw, 0, own->least, own->most);
    dl_place_add(place, (const double[]){z, 0, 0, 0, z, 0});
}

const dl_augmentation_type dl_augmentation_zoom = {
    .kind = {"zoom", "scales about the center by a random factor", sizeof(zoom_augmentation),
             zoom_options},
    .check = check_zoom,
    .move = zoom,
};
