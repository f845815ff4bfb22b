/* SPDX-License-Identifier: MIT */
/* A black square with a uniform center, which may extend beyond the image. DeVries and
   Taylor, "Improved regularization of convolutional neural networks with cutout", 2017. */
#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    int64_t size;
} cutout_augmentation;

static const dl_option cutout_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_INT_OPTION("size", cutout_augmentation, size, "8", 1, 1 << 15,
                  "side of the square in pixels; 16 is usual for CIFAR-10"),
    DL_OPTIONS_END,
};

static int first_pixel(const dl_draw *draw, int number, int length, int size) {
    return (int)dl_augment_uniform(draw, number, 0, length) - size / 2;
}

static void cutout(const void *self, const dl_draw *draw, dl_picture *p) {
    int size = (int)((const cutout_augmentation *)self)->size;
    int top = first_pixel(draw, 0, p->height, size), left = first_pixel(draw, 1, p->width, size);
    for (int r = top < 0 ? 0 : top; r < p->height && r < top + size; r++)
        for (int s = left < 0 ? 0 : left; s < p->width && s < left + size; s++)
            for (int c = 0; c < p->channels; c++)
                p->x[((int64_t)r * p->width + s) * p->channels + c] = 0;
}

const dl_augmentation_type dl_augmentation_cutout = {
    .kind = {"cutout", "blacks out a square at a random position", sizeof(cutout_augmentation),
             cutout_options},
    .paint = cutout,
};
