/* SPDX-License-Identifier: MIT */
/* p <- m + f (p - m) for each value p, m the mean gray of the image, f uniform in [1 - by, 1 + by].
 */
#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    double by;
} factor;

static const dl_option contrast_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("by", factor, by, "0.2", 0, 1,
                    "differences from the image's mean gray are multiplied by a factor between 1 - "
                    "by and 1 + by"),
    DL_OPTIONS_END,
};

static void contrast(const void *self, const dl_draw *draw, dl_picture *p) {
    double by = ((const factor *)self)->by;
    float f = (float)dl_augment_uniform(draw, 0, 1 - by, 1 + by);
    int64_t pixels = (int64_t)p->height * p->width, size = dl_picture_size(p);
    double sum = 0;
    for (int64_t i = 0; i < pixels && p->channels == 3; i++)
        sum += (double)dl_picture_gray(p->x + 3 * i);
    for (int64_t i = 0; i < size && p->channels != 3; i++)
        sum += (double)p->x[i] / p->channels;
    float mean = (float)(sum / (double)pixels);
    for (int64_t i = 0; i < size; i++)
        p->x[i] = mean + f * (p->x[i] - mean);
    dl_picture_clamp(p);
}

const dl_augmentation_type dl_augmentation_contrast = {
    .kind = {"contrast", "changes the contrast", sizeof(factor), contrast_options},
    .paint = contrast,
};
