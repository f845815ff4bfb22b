/* SPDX-License-Identifier: MIT */
/* Elastic distortion: each pixel is sampled at a position displaced by a smooth random field,
     d = alpha G_sigma * u,  u uniform in [-1, 1) at each pixel, for x and for y,
   with a Gaussian G of standard deviation sigma and zero padding. Simard, Steinkraus and
   Platt, "Best practices for convolutional neural networks applied to visual document analysis",
   ICDAR 2003: alpha = 34, sigma = 4 for digits of 29x29. The field is added in coordinates of the
   new image, independent of the order of the list. */
#include "augment/augmentation.h"
#include "math/warp.h"

typedef struct {
    dl_augmentation_common common;
    double alpha, sigma;
} elastic_augmentation;

static const dl_option options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("alpha", elastic_augmentation, alpha, "34.0", 0, 1e5,
                    "amplitude of the displacements in pixels before smoothing; with sigma = 4 "
                    "pixels move by about 0.04 alpha"),
    DL_FLOAT_OPTION("sigma", elastic_augmentation, sigma, "4.0", 0.1, 64,
                    "standard deviation of the smoothing in pixels; large values bend the image, "
                    "small ones crumple it"),
    DL_OPTIONS_END,
};

static void elastic(const void *self, const dl_draw *draw, dl_transform *transform) {
    const elastic_augmentation *own = self;
    int64_t pixels = (int64_t)transform->height * transform->width;
    float *drawn = transform->scratch, *blurring = drawn + 2 * pixels, alpha = (float)own->alpha;
    dl_random_uniform(draw, DL_AUGMENT_BULK, 2 * pixels, drawn);
    for (int64_t i = 0; i < 2 * pixels; i++)
        drawn[i] = 2 * drawn[i] - 1;
    dl_blur(drawn, transform->height, transform->width, own->sigma, blurring);
    dl_blur(drawn + pixels, transform->height, transform->width, own->sigma, blurring);
    for (int64_t i = 0; i < 2 * pixels; i++)
        transform->field[i] = alpha * drawn[i] + (transform->bent ? transform->field[i] : 0);
    transform->bent = true;
}

const dl_augmentation_type dl_augmentation_elastic = {
    .kind = {"elastic", "distorts the image by a smooth random displacement field; for handwriting",
             sizeof(elastic_augmentation), options},
    .move = elastic,
};
