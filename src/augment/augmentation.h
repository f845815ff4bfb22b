/* SPDX-License-Identifier: MIT */
/* The contract of an augmentation: a random transform of training images, a pure function of (seed,
   epoch, row). A new one is a file and a line in augmentation.c. */
#ifndef DL_AUGMENT_AUGMENTATION_H
#define DL_AUGMENT_AUGMENTATION_H

#include <stdbool.h>

#include "base/error.h"
#include "base/random.h"
#include "config/option.h"
#include "math/shape.h"

/* Composes geometric transforms, so that an image is resampled once. */
typedef struct {
    int height, width;
    double map[6];  /* as in dl_warp */
    float *field;   /* [2][height][width], as in dl_warp; unset unless `bent` */
    float *scratch; /* [3][height][width] */
    bool bent;
} dl_transform;

/* An image to modify in place. */
typedef struct {
    int height, width, channels;
    float *x;       /* [height][width][channels] */
    float *scratch; /* the same size */
    double range;   /* from black to white: 255 for bytes, else 1 */
    bool bytes;     /* values are clamped to [0, range] */
} dl_picture;

/* Rows first[0] .. last[0] - 1 and columns first[1] .. last[1] - 1. */
typedef struct {
    int first[2], last[2];
} dl_box;

/* The first member of the struct of every augmentation. */
typedef struct {
    double probability;
} dl_augmentation_common;

#define DL_AUGMENT_PROBABILITY(fallback)                                                           \
    DL_FLOAT_OPTION("probability", dl_augmentation_common, probability, fallback, 0, 1,            \
                    "the probability that an image is transformed")

typedef struct {
    dl_kind kind; /* its struct begins with a dl_augmentation_common */
    /* Checks the options: first on their own (image.rank is 0), later against the shape of the
       images. 0, or -1 and an error that begins with `where`. May be NULL. */
    int (*check)(const void *self, dl_shape image, const char *where, dl_error *error);
    /* Exactly one of these is set. `draw` belongs to the image; its block 0 is used. */
    void (*move)(const void *self, const dl_draw *draw, dl_transform *transform);
    void (*paint)(const void *self, const dl_draw *draw, dl_picture *picture);
    /* Returns the weight of the image in a blend with another one; or sets `box` (empty on entry),
       to be pasted from the other image. */
    double (*mix)(const void *self, const dl_draw *draw, int height, int width, dl_box *box);
} dl_augmentation_type;

extern const dl_registry dl_augmentation_registry;

int64_t dl_picture_size(const dl_picture *picture); /* height * width * channels */
/* Clamps byte images to [0, 255]. */
void dl_picture_clamp(const dl_picture *picture);
/* 0.299 R + 0.587 G + 0.114 B */
static inline float dl_picture_gray(const float *rgb) {
    return 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
}
/* A `check` that requires 3 channels. */
int dl_augment_check_rgb(const char *what, dl_shape image, const char *where, dl_error *error);

/* Uniform in [low, high): value `number` of a draw, 0 to 59. */
double dl_augment_uniform(const dl_draw *draw, int number, double low, double high);
/* The first element of a draw that dl_augment_uniform does not use. */
enum { DL_AUGMENT_BULK = 64 };
/* Composes transform->map with `map`, from coordinates of the new image to those of the old. */
void dl_transform_compose(dl_transform *transform, const double map[6]);

#endif
