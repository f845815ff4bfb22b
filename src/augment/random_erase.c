/* SPDX-License-Identifier: MIT */
/* A rectangle of uniform noise inside the picture, of a random area and aspect ratio. Zhong et
   al., "Random erasing data augmentation", AAAI 2020. */
#include <math.h>

#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    double least, most, aspect;
} erase_augmentation;

static const dl_option erase_options[] = {
    DL_AUGMENT_PROBABILITY("0.5"),
    DL_FLOAT_OPTION("least", erase_augmentation, least, "0.02", 0.001, 1,
                    "the smallest area of the rectangle, as a fraction of the image"),
    DL_FLOAT_OPTION("most", erase_augmentation, most, "0.33", 0.001, 1,
                    "the largest area, as a fraction of the image"),
    DL_FLOAT_OPTION("aspect", erase_augmentation, aspect, "3.3", 1, 100,
                    "the largest aspect ratio of the rectangle, upright or lying"),
    DL_OPTIONS_END,
};

static int check_erase(const void *self, dl_shape image, const char *where, dl_error *error) {
    const erase_augmentation *own = self;
    if (image.rank || own->least <= own->most)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: random_erase: least (%g) is more than most (%g)", where,
                   own->least, own->most);
}

/* A side in whole pixels that fits. */
static int side(double length, int most) {
    int whole = (int)(length + 0.5);
    return whole < 1 ? 1 : whole > most ? most : whole;
}

static void random_erase(const void *self, const dl_draw *draw, dl_picture *p) {
    const erase_augmentation *own = self;
    double area = dl_augment_number(draw, 0, own->least, own->most) * p->height * p->width;
    double ratio = exp(dl_augment_number(draw, 1, -log(own->aspect), log(own->aspect)));
    int height = side(sqrt(area * ratio), p->height), width = side(sqrt(area / ratio), p->width);
    int top = (int)dl_augment_number(draw, 2, 0, p->height - height + 1);
    int left = (int)dl_augment_number(draw, 3, 0, p->width - width + 1);
    int64_t count = (int64_t)width * p->channels;
    int64_t room = (count + 3) / 4 * 4; /* a row's numbers begin at a multiple of 4 */
    for (int r = 0; r < height; r++) {
        float *x = p->x + ((int64_t)(top + r) * p->width + left) * p->channels;
        dl_random_uniform(draw, DL_AUGMENT_MANY + r * room, count, x);
        for (int64_t i = 0; i < count; i++)
            x[i] *= (float)p->range;
    }
}

const dl_augmentation_type dl_augmentation_random_erase = {
    .kind = {"random_erase", "fills a rectangle at a random place with noise",
             sizeof(erase_augmentation), erase_options},
    .check = check_erase,
    .paint = random_erase,
};
