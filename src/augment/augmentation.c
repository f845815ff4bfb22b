/* SPDX-License-Identifier: MIT */
#include "augment/augmentation.h"

#include <math.h>
#include <string.h>

/* In the order of the help. */
#define AUGMENTATIONS(X)                                                                           \
    X(flip_horizontal)                                                                             \
    X(flip_vertical)                                                                               \
    X(rotate)                                                                                      \
    X(shift)                                                                                       \
    X(zoom)                                                                                        \
    X(shear)                                                                                       \
    X(elastic)                                                                                     \
    X(random_crop)                                                                                 \
    X(brightness)                                                                                  \
    X(contrast)                                                                                    \
    X(saturation)                                                                                  \
    X(hue)                                                                                         \
    X(noise)                                                                                       \
    X(gaussian_blur)                                                                               \
    X(cutout)                                                                                      \
    X(random_erase)                                                                                \
    X(mixup)                                                                                       \
    X(cutmix)

#define DECLARE(name) extern const dl_augmentation_type dl_augmentation_##name;
AUGMENTATIONS(DECLARE)

#define ADDRESS(name) &dl_augmentation_##name.kind,
static const dl_kind *const kinds[] = {AUGMENTATIONS(ADDRESS)};

const dl_registry dl_augmentation_registry = {
    .what = "augmentation",
    .plural = "augmentations",
    .key = "type",
    .count = sizeof kinds / sizeof *kinds,
    .kinds = kinds,
};

double dl_augment_uniform(const dl_draw *draw, int number, double low, double high) {
    uint32_t words[4];
    dl_random_words(draw, 1 + (uint32_t)number / 4, words);
    return low + (high - low) * ((double)(words[number % 4] >> 8) * 0x1p-24);
}

void dl_transform_compose(dl_transform *transform, const double n[6]) {
    const double *m = transform->map;
    double map[6] = {
        m[0] * n[0] + m[1] * n[3], m[0] * n[1] + m[1] * n[4], m[0] * n[2] + m[1] * n[5] + m[2],
        m[3] * n[0] + m[4] * n[3], m[3] * n[1] + m[4] * n[4], m[3] * n[2] + m[4] * n[5] + m[5],
    };
    memcpy(transform->map, map, sizeof map);
}

int64_t dl_picture_size(const dl_picture *p) {
    return (int64_t)p->height * p->width * p->channels;
}

void dl_picture_clamp(const dl_picture *p) {
    for (int64_t i = 0, size = dl_picture_size(p); p->bytes && i < size; i++)
        p->x[i] = fminf(fmaxf(p->x[i], 0), (float)p->range);
}

int dl_augment_check_rgb(const char *what, dl_shape image, const char *where, dl_error *error) {
    if (!image.rank || image.dim[2] == 3)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: %s is for images of 3 channels (red, green, blue), but these have %d",
                   where, what, image.dim[2]);
}
