/* SPDX-License-Identifier: MIT */
/* Convolution with a Gaussian of standard deviation sigma, first along rows, then along columns,
   mirrored at the edges (dcb|abcd|cba), as torchvision's gaussian_blur with a kernel of
   2 ceil(3 sigma) + 1 pixels. */
#include <math.h>

#include "augment/augmentation.h"

enum { MOST_SIGMA = 16, MOST_RADIUS = 3 * MOST_SIGMA };

typedef struct {
    dl_augmentation_common common;
    double least, most;
} blur_augmentation;

static const dl_option options[] = {
    DL_AUGMENT_PROBABILITY("0.5"),
    DL_FLOAT_OPTION("least", blur_augmentation, least, "0.1", 0.01, MOST_SIGMA,
                    "the smallest standard deviation of the blur, in pixels"),
    DL_FLOAT_OPTION("most", blur_augmentation, most, "2.0", 0.01, MOST_SIGMA,
                    "the largest standard deviation, in pixels"),
    DL_OPTIONS_END,
};

static int check(const void *self, dl_shape image, const char *where, dl_error *error) {
    const blur_augmentation *own = self;
    if (image.rank || own->least <= own->most)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: gaussian_blur: least (%g) is more than most (%g)", where,
                   own->least, own->most);
}

/* weight[0..radius]: of the pixel itself and of those at a distance; returns the radius. */
static int make_kernel(double sigma, float weight[MOST_RADIUS + 1]) {
    int radius = (int)ceil(3 * sigma);
    double sum = 1;
    for (int d = 1; d <= radius; d++)
        sum += 2 * exp(-0.5 * d * d / (sigma * sigma));
    for (int d = 0; d <= radius; d++)
        weight[d] = (float)(exp(-0.5 * d * d / (sigma * sigma)) / sum);
    return radius;
}

/* Pixel i of a mirrored line of n. */
static int mirrored(int i, int n) {
    int period = n > 1 ? 2 * (n - 1) : 1;
    i = (i % period + period) % period;
    return i < n ? i : period - i;
}

typedef struct {
    int radius;
    const float *weight;
    int length;     /* pixels of a line */
    int64_t stride; /* numbers from one to the next */
} blur_line;

/* Each of the `count` numbers that pixel `at` of the line begins with. */
static void blur_pixel(const blur_line *line, int at, int count, const float *from, float *to) {
    for (int c = 0; c < count; c++)
        to[at * line->stride + c] = line->weight[0] * from[at * line->stride + c];
    for (int d = 1; d <= line->radius; d++) {
        const float *before = from + mirrored(at - d, line->length) * line->stride;
        const float *behind = from + mirrored(at + d, line->length) * line->stride;
        for (int c = 0; c < count; c++)
            to[at * line->stride + c] += line->weight[d] * (before[c] + behind[c]);
    }
}

static void gaussian_blur(const void *self, const dl_draw *draw, dl_picture *p) {
    const blur_augmentation *own = self;
    float weight[MOST_RADIUS + 1];
    int radius = make_kernel(dl_augment_number(draw, 0, own->least, own->most), weight);
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
    .kind = {"gaussian_blur", "blurs with a Gaussian of a random width", sizeof(blur_augmentation),
             options},
    .check = check,
    .paint = gaussian_blur,
};
