/* SPDX-License-Identifier: MIT */
/* Augmentations of brightness and colour, of numbers p of a picture:
     brightness  f p
     contrast    m + f (p - m), m the mean grey of the picture
     saturation  g + f (p - g), g the grey of the pixel, 0.299 R + 0.587 G + 0.114 B
     hue         colours turned by an angle around the axis of the greys, R = G = B
     noise       p + n, n normal
   with f uniform between 1 - by and 1 + by. Numbers of bytes stay between 0 and 255. */
#include <math.h>

#include "data/augment.h"
#include "math/shape.h"

typedef struct {
    dl_augmentation_common common;
    double by;
} factor;

static double draw_factor(const void *self, const dl_draw *draw) {
    double by = ((const factor *)self)->by;
    return dl_augment_number(draw, 0, 1 - by, 1 + by);
}

static int64_t size_of(const dl_picture *p) {
    return (int64_t)p->height * p->width * p->channels;
}

static void keep_in_range(const dl_picture *p) {
    for (int64_t i = 0, size = size_of(p); p->bytes && i < size; i++)
        p->x[i] = fminf(fmaxf(p->x[i], 0), (float)p->range);
}

static float grey_of(const float *rgb) {
    return 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
}

static int check_colours(dl_shape image, const char *what, const char *where, dl_error *error) {
    if (!image.rank || image.dim[2] == 3)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: %s is for images of 3 channels (red, green, blue), but these have %d",
                   where, what, image.dim[2]);
}

/* ---- brightness ---- */

static const dl_option brightness_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("by", factor, by, "0.2", 0, 1,
                    "all numbers times a factor between 1 - by and 1 + by"),
    DL_OPTIONS_END,
};

static void brightness(const void *self, const dl_draw *draw, dl_picture *p) {
    float f = (float)draw_factor(self, draw);
    for (int64_t i = 0, size = size_of(p); i < size; i++)
        p->x[i] *= f;
    keep_in_range(p);
}

const dl_augmentation_type dl_augmentation_brightness = {
    .kind = {"brightness", "lighter or darker", sizeof(factor), brightness_options},
    .paint = brightness,
};

/* ---- contrast ---- */

static const dl_option contrast_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION(
        "by", factor, by, "0.2", 0, 1,
        "the distance to the picture's mean grey times a factor between 1 - by and 1 + by"),
    DL_OPTIONS_END,
};

static void contrast(const void *self, const dl_draw *draw, dl_picture *p) {
    float f = (float)draw_factor(self, draw);
    int64_t pixels = (int64_t)p->height * p->width, size = size_of(p);
    double sum = 0;
    for (int64_t i = 0; i < pixels && p->channels == 3; i++)
        sum += (double)grey_of(p->x + 3 * i);
    for (int64_t i = 0; i < size && p->channels != 3; i++)
        sum += (double)p->x[i] / p->channels;
    float mean = (float)(sum / (double)pixels);
    for (int64_t i = 0; i < size; i++)
        p->x[i] = mean + f * (p->x[i] - mean);
    keep_in_range(p);
}

const dl_augmentation_type dl_augmentation_contrast = {
    .kind = {"contrast", "flatter or harder", sizeof(factor), contrast_options},
    .paint = contrast,
};

/* ---- saturation ---- */

static const dl_option saturation_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("by", factor, by, "0.2", 0, 1,
                    "the distance of each colour to the grey that is as light times a factor "
                    "between 1 - by and "
                    "1 + by"),
    DL_OPTIONS_END,
};

static int check_saturation(const void *self, dl_shape image, const char *where, dl_error *error) {
    (void)self;
    return check_colours(image, "saturation", where, error);
}

static void saturation(const void *self, const dl_draw *draw, dl_picture *p) {
    float f = (float)draw_factor(self, draw);
    for (int64_t i = 0; i < (int64_t)p->height * p->width; i++) {
        float *x = p->x + 3 * i, grey = grey_of(x);
        for (int c = 0; c < 3; c++)
            x[c] = grey + f * (x[c] - grey);
    }
    keep_in_range(p);
}

const dl_augmentation_type dl_augmentation_saturation = {
    .kind = {"saturation", "paler or more colourful", sizeof(factor), saturation_options},
    .check = check_saturation,
    .paint = saturation,
};

/* ---- hue ---- */

typedef struct {
    dl_augmentation_common common;
    double degrees;
} hue_augmentation;

static const dl_option hue_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("degrees", hue_augmentation, degrees, "18.0", 0, 180,
                    "colours turned by an angle between this to one side and this to the other; "
                    "120 makes green "
                    "of red"),
    DL_OPTIONS_END,
};

static int check_hue(const void *self, dl_shape image, const char *where, dl_error *error) {
    (void)self;
    return check_colours(image, "hue", where, error);
}

/* Rodrigues' rotation around (1, 1, 1). */
static void hue(const void *self, const dl_draw *draw, dl_picture *p) {
    double most = ((const hue_augmentation *)self)->degrees * 3.14159265358979323846 / 180;
    double a = dl_augment_number(draw, 0, -most, most);
    double c = cos(a), s = sin(a) / sqrt(3), k = (1 - c) / 3;
    float own = (float)(c + k), left = (float)(k - s), right = (float)(k + s);
    for (int64_t i = 0; i < (int64_t)p->height * p->width; i++) {
        float *x = p->x + 3 * i, r = x[0], g = x[1], b = x[2];
        x[0] = own * r + left * g + right * b;
        x[1] = right * r + own * g + left * b;
        x[2] = left * r + right * g + own * b;
    }
    keep_in_range(p);
}

const dl_augmentation_type dl_augmentation_hue = {
    .kind = {"hue", "other colours, as light as they were", sizeof(hue_augmentation), hue_options},
    .check = check_hue,
    .paint = hue,
};

/* ---- noise ---- */

typedef struct {
    dl_augmentation_common common;
    double stddev;
} noise_augmentation;

static const dl_option noise_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION(
        "stddev", noise_augmentation, stddev, "0.05", 0, 10,
        "the standard deviation of what is added to each number; 1 is from black to white (255 for "
        "files of bytes)"),
    DL_OPTIONS_END,
};

static void noise(const void *self, const dl_draw *draw, dl_picture *p) {
    enum { PIECE = 64 };
    float drawn[PIECE], scale = (float)(((const noise_augmentation *)self)->stddev * p->range);
    int64_t size = size_of(p);
    for (int64_t first = 0; first < size; first += PIECE) {
        int64_t count = size - first < PIECE ? size - first : PIECE;
        dl_random_normal(draw, DL_AUGMENT_MANY + first, count, drawn);
        for (int64_t i = 0; i < count; i++)
            p->x[first + i] += scale * drawn[i];
    }
    keep_in_range(p);
}

const dl_augmentation_type dl_augmentation_noise = {
    .kind = {"noise", "normal noise in each number, as of a bad camera", sizeof(noise_augmentation),
             noise_options},
    .paint = noise,
};
