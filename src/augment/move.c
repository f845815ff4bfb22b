/* SPDX-License-Identifier: MIT */
/* Augmentations that move all pixels by an affine map. Each hands on its inverse: where a pixel of
   the new image, at (x, y) from the middle, comes from in the old one.
     flip_horizontal (-x, y), flip_vertical (x, -y)
     rotate by a, counter-clockwise: (x cos a - y sin a, x sin a + y cos a), y to the bottom
     shift by (s, t): (x - s, y - t)
     zoom by z: (x / z, y / z)
     shear by a: (x + y tan a, y)
     random_crop: a shift by whole pixels. Krizhevsky, Sutskever and Hinton, "ImageNet
     classification with deep convolutional neural networks", 2012; with padding Lee et al.,
     "Deeply-supervised nets", 2015.
   Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual
   document analysis", ICDAR 2003. */
#include <math.h>

#include "data/augment.h"

static const double DEGREE = 3.14159265358979323846 / 180;

/* ---- flips ---- */

static const dl_option flip_options[] = {DL_AUGMENT_PROBABILITY("0.5"), DL_OPTIONS_END};

static void flip_horizontal(const void *self, const dl_draw *draw, dl_place *place) {
    (void)self, (void)draw;
    dl_place_add(place, (const double[]){-1, 0, 0, 0, 1, 0});
}

static void flip_vertical(const void *self, const dl_draw *draw, dl_place *place) {
    (void)self, (void)draw;
    dl_place_add(place, (const double[]){1, 0, 0, 0, -1, 0});
}

const dl_augmentation_type dl_augmentation_flip_horizontal = {
    .kind = {"flip_horizontal",
             "left becomes right; not for letters and digits, which a mirror makes others",
             sizeof(dl_augmentation_common), flip_options},
    .move = flip_horizontal,
};

const dl_augmentation_type dl_augmentation_flip_vertical = {
    .kind = {"flip_vertical", "top becomes bottom: for pictures without an up, as from above",
             sizeof(dl_augmentation_common), flip_options},
    .move = flip_vertical,
};

/* ---- rotate ---- */

typedef struct {
    dl_augmentation_common common;
    double degrees;
} angle;

static const dl_option rotate_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("degrees", angle, degrees, "15.0", 0, 180,
                    "turned by an angle between this to the left and this to the right"),
    DL_OPTIONS_END,
};

static void rotate(const void *self, const dl_draw *draw, dl_place *place) {
    double most = ((const angle *)self)->degrees * DEGREE;
    double a = dl_augment_number(draw, 0, -most, most), c = cos(a), s = sin(a);
    dl_place_add(place, (const double[]){c, -s, 0, s, c, 0});
}

const dl_augmentation_type dl_augmentation_rotate = {
    .kind = {"rotate", "turned around its middle", sizeof(angle), rotate_options},
    .move = rotate,
};

/* ---- shear ---- */

static const dl_option shear_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION(
        "degrees", angle, degrees, "10.0", 0, 60,
        "upright lines lean over by an angle between this to the left and this to the right"),
    DL_OPTIONS_END,
};

static void shear(const void *self, const dl_draw *draw, dl_place *place) {
    double most = ((const angle *)self)->degrees * DEGREE;
    double a = dl_augment_number(draw, 0, -most, most);
    dl_place_add(place, (const double[]){1, tan(a), 0, 0, 1, 0});
}

const dl_augmentation_type dl_augmentation_shear = {
    .kind = {"shear", "leaning over, as italics do", sizeof(angle), shear_options},
    .move = shear,
};

/* ---- shift ---- */

typedef struct {
    dl_augmentation_common common;
    double horizontal, vertical;
} shift_augmentation;

static const dl_option shift_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("horizontal", shift_augmentation, horizontal, "0.1", 0, 1,
                    "moved to the left or right by up to this share of its width"),
    DL_FLOAT_OPTION("vertical", shift_augmentation, vertical, "0.1", 0, 1,
                    "moved up or down by up to this share of its height"),
    DL_OPTIONS_END,
};

static void shift(const void *self, const dl_draw *draw, dl_place *place) {
    const shift_augmentation *own = self;
    double x = own->horizontal * place->width, y = own->vertical * place->height;
    dl_place_add(place, (const double[]){1, 0, -dl_augment_number(draw, 0, -x, x), 0, 1,
                                         -dl_augment_number(draw, 1, -y, y)});
}

const dl_augmentation_type dl_augmentation_shift = {
    .kind = {"shift", "moved, also by parts of a pixel", sizeof(shift_augmentation), shift_options},
    .move = shift,
};

/* ---- zoom ---- */

typedef struct {
    dl_augmentation_common common;
    double least, most;
} zoom_augmentation;

static const dl_option zoom_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("least", zoom_augmentation, least, "0.9", 0.1, 10,
                    "it becomes at least this many times as large, below 1: smaller"),
    DL_FLOAT_OPTION("most", zoom_augmentation, most, "1.1", 0.1, 10, "and at most this many times"),
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
    .kind = {"zoom", "made larger or smaller, in its middle", sizeof(zoom_augmentation),
             zoom_options},
    .check = check_zoom,
    .move = zoom,
};

/* ---- random_crop ---- */

typedef struct {
    dl_augmentation_common common;
    int64_t padding;
} crop_augmentation;

static const dl_option crop_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_INT_OPTION("padding", crop_augmentation, padding, "4", 1, 1 << 15,
                  "pixels that are added on all sides, as augment_border says; then a piece of the "
                  "old size is "
                  "cut out anywhere: 4 is usual for 32 x 32"),
    DL_OPTIONS_END,
};

static int check_crop(const void *self, dl_shape image, const char *where, dl_error *error) {
    const crop_augmentation *own = self;
    int side = image.dim[0] < image.dim[1] ? image.dim[0] : image.dim[1];
    if (!image.rank || own->padding < side)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: random_crop: a padding of %lld pixels leaves images of %dx%d that have "
                   "nothing of the old one (at most %d)",
                   where, (long long)own->padding, image.dim[0], image.dim[1], side - 1);
}

static void random_crop(const void *self, const dl_draw *draw, dl_place *place) {
    double padding = (double)((const crop_augmentation *)self)->padding;
    double x = floor(dl_augment_number(draw, 0, 0, 2 * padding + 1)) - padding;
    double y = floor(dl_augment_number(draw, 1, 0, 2 * padding + 1)) - padding;
    dl_place_add(place, (const double[]){1, 0, x, 0, 1, y});
}

const dl_augmentation_type dl_augmentation_random_crop = {
    .kind = {"random_crop", "a piece of its own size, cut out of the image with a margin",
             sizeof(crop_augmentation), crop_options},
    .check = check_crop,
    .move = random_crop,
};
