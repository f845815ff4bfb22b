/* SPDX-License-Identifier: MIT */
/* A rectangle of uniform noise within the image, with random area and aspect ratio. Zhong et
   al., "Random erasing data augmentation", AAAI 2020. */
#include <math.h>

#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    double min, max, aspect;
} erase_augmentation;

static const dl_option erase_options[] = {
    DL_AUGMENT_PROBABILITY("0.5"),
    DL_FLOAT_OPTION("least", erase_augmentation, min, "0.02", 0.001, 1,
                    "smallest area of the rectangle, as a fraction of the image"),
    DL_FLOAT_OPTION("most", erase_augmentation, max, "0.33", 0.001, 1,
                    "largest area, as a fraction of the image"),
    DL_FLOAT_OPTION("aspect", erase_augmentation, aspect, "3.3", 1, 100,
                    "largest aspect ratio of the rectangle, vertical or horizontal"),
    DL_OPTIONS_END,
};

static int check_erase(const void *self, dl_shape image, const char *where, dl_error *error) {
    const erase_augmentation *own = self;
    if (image.rank || own->min <= own->max)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: random_erase: least (%g) is greater than most (%g)", where,
                   own->min, own->max);
}

/* Rounded and clamped to [1, max]. */
static int side(double length, int max) {
    int rounded = (int)(length + 0.5);
    return rounded < 1 ? 1 : rounded > max ? max : rounded;
}

static void random_erase(const void *self, const dl_draw *draw, dl_picture *p) {
    const erase_augmentation *own = self;
    double area = dl_augment_uniform(draw, 0, own->min, own->max) * p->height * p->width;
    double ratio = exp(dl_augment_uniform(draw, 1, -log(own->aspect), log(own->aspect)));
    int height = side(sqrt(area * ratio), p->height), width = side(sqrt(area / ratio), p->width);
    int top = (int)dl_augment_uniform(draw, 2, 0, p->height - height + 1);
    int left = (int)dl_augment_uniform(draw, 3, 0, p->width - width + 1);
    int64_t count = (int64_t)width * p->channels;
    int64_t row_elements = (count + 3) / 4 * 4; /* rows start at multiples of 4 elements */
    for (int r = 0; r < height; r++) {
        float *x = p->x + ((int64_t)(top + r) * p->width + left) * p->channels;
        dl_random_uniform(draw, DL_AUGMENT_BULK + r * row_elements, count, x);
        for (int64_t i = 0; i < count; i++)
            x[i] *= (float)p->range;
    }
}

const dl_augmentation_type dl_augmentation_random_erase = {
    .kind = {"random_erase", "fills a rectangle at a random position with noise",
             sizeof(erase_augmentation), erase_options},
    .check = check_erase,
    .paint = random_erase,
};
