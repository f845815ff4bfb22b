/* SPDX-License-Identifier: MIT */
/* Convolution with a Gaussian of standard deviation sigma, first along rows, then along columns,
   with reflection padding (dcb|abcd|cba), as torchvision's gaussian_blur with a kernel of 2 ceil(3
   sigma) + 1 pixels. */
#include <math.h>

#include "augment/augmentation.h"

enum { MAX_SIGMA = 16, MAX_RADIUS = 3 * MAX_SIGMA };

typedef struct {
    dl_augmentation_common common;
    double min, max;
} blur_augmentation;

static const dl_option options[] = {
    DL_AUGMENT_PROBABILITY("0.5"),
    DL_FLOAT_OPTION("least", blur_augmentation, min, "0.1", 0.01, MAX_SIGMA,
                    "smallest standard deviation of the blur in pixels"),
    DL_FLOAT_OPTION("most", blur_augmentation, max, "2.0", 0.01, MAX_SIGMA,
                    "largest standard deviation in pixels"),
    DL_OPTIONS_END,
};

static int check(const void *self, dl_shape image, const char *where, dl_error *error) {
    const blur_augmentation *own = self;
    if (image.rank || own->min <= own->max)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: gaussian_blur: least (%g) is greater than most (%g)",
                   where, own->min, own->max);
}

/* weight[d], d = 0 … radius: of the pixels at distance d. Returns the radius. */
static int make_kernel(double sigma, float weight[MAX_RADIUS + 1]) {
    int radius = (int)ceil(3 * sigma);
    double sum = 1;
    for (int d = 1; d <= radius; d++)
        sum += 2 * exp(-0.5 * d * d / (sigma * sigma));
    for (int d = 0; d <= radius; d++)
        weight[d] = (float)(exp(-0.5 * d * d / (sigma * sigma)) / sum);
    return radius;
}

/* The index of pixel i in a reflected line of n. */
static int mirrored(int i, int n) {
    int period = n > 1 ? 2 * (n - 1) : 1;
    i = (i % period + period) % period;
    return i < n ? i : period - i;
}

typedef struct {
    int radius;
    const float *weight;
    int length;     /* in pixels */
    int64_t stride; /* floats per pixel */
} blur_line;

/* Blurs the first `count` values of pixel `at`. */
static void blur_pixel(const blur_line *line, int at, int count, const float *from, float *to) {
    for (int c = 0; c < count; c++)
        to[at * line->stride + c] = line->weight[0] * from[at * line->stride + c];
    for (int d = 1; d <= line->radius; d++) {
        const float *left = from + mirrored(at - d, line->length) * line->stride;
        const float *right = from + mirrored(at + d, line->length) * line->stride;
        for (int c = 0; c < count; c++)
            to[at * line->stride + c] += line->weight[d] * (left[c] + right[c]);
    }
}

static void gaussian_blur(const void *self, const dl_draw *draw, dl_picture *p) {
    const blur_augmentation *own = self;
    float weight[MAX_RADIUS + 1];
    int radius = make_kernel(dl_augment_uniform(draw, 0, own->min, own->max), weight);
    int64_t row = (int64_t)p->width * p->channels;
    blur_line across = {radius, weight, p->width, p->channels};
    blur_line down = {radius, weight, p->height, row};
    for (int r = 0; r < p->height; r++)
        for (int s = 0; s < p->width; s++)
            blur_pixel(&across, s, p->channels, p->x + r * row, p->scratch + r * row);
    for (int r = 0; r < p->height; r++) /* all columns at once */
        blur_pixel(&down, r, (int)row, p->scratch, p->x);
    dl_picture_clamp(p);
}

const dl_augmentation_type dl_augmentation_gaussian_blur = {
    .kind = {"gaussian_blur", "blurs with a Gaussian of random width", sizeof(blur_augmentation),
             options},
    .check = check,
    .paint = gaussian_blur,
};
