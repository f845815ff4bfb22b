/* SPDX-License-Identifier: MIT */
/* The contract of an augmentation: a transform of training images, drawn anew in each epoch. A new
   one is a file and a line in augmentation.c. What becomes of a row is a pure function of
   (seed, epoch, row). */
#ifndef DL_AUGMENT_AUGMENTATION_H
#define DL_AUGMENT_AUGMENTATION_H

#include <stdbool.h>

#include "base/error.h"
#include "base/random.h"
#include "config/option.h"
#include "math/shape.h"

/* Where the pixels of an image come from. Geometric transforms are composed here, so that the image
   is resampled once. */
typedef struct {
    int height, width;
    double map[6];  /* as in dl_warp */
    float *field;   /* [2][height][width]: as in dl_warp; all zero unless `bent` */
    float *scratch; /* [3][height][width] */
    bool bent;
} dl_place;

/* A picture to paint in. */
typedef struct {
    int height, width, channels;
    float *x;       /* [height][width][channels] */
    float *scratch; /* the same size; what is in it is lost */
    double range;   /* from black to white: 255 for bytes, else 1 */
    bool bytes;     /* the numbers stay between 0 and range */
} dl_picture;

/* Rows first[0] .. last[0] - 1 and columns first[1] .. last[1] - 1. */
typedef struct {
    int first[2], last[2];
} dl_box;

/* Every augmentation's struct begins with it. */
typedef struct {
    double probability;
} dl_augmentation_common;

#define DL_AUGMENT_PROBABILITY(fallback)                                                           \
    DL_FLOAT_OPTION("probability", dl_augmentation_common, probability, fallback, 0, 1,            \
                    "the probability that an image is transformed")

typedef struct {
    dl_kind kind; /* its struct begins with a dl_augmentation_common */
    /* Checks the options against each other (image.rank is 0, before the data are known), then
       against the shape of the images. 0, or -1 and an error that begins with `where`. NULL:
       nothing to check. */
    int (*check)(const void *self, dl_shape image, const char *where, dl_error *error);
    /* One of these three is set. `draw` is this image's own; its block 0 is taken. */
    void (*move)(const void *self, const dl_draw *draw, dl_place *place);
    void (*paint)(const void *self, const dl_draw *draw, dl_picture *picture);
    /* Returns the share of the image itself in a blend with another one; or sets `box` (empty on
       entry), which is pasted in from the other image. */
    double (*mix)(const void *self, const dl_draw *draw, int height, int width, dl_box *box);
} dl_augmentation_type;

extern const dl_registry dl_augmentation_registry;

int64_t dl_picture_size(const dl_picture *picture); /* height * width * channels */
/* Numbers of bytes stay between 0 and 255. */
void dl_picture_clamp(const dl_picture *picture);
/* 0.299 R + 0.587 G + 0.114 B */
static inline float dl_picture_gray(const float *rgb) {
    return 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
}
/* A `check` of augmentations of colors: 3 channels. */
int dl_augment_check_rgb(const char *what, dl_shape image, const char *where, dl_error *error);

/* Number `number` of a draw, from 0 to 59, uniform between low and high. */
double dl_augment_number(const dl_draw *draw, int number, double low, double high);
/* Elements of a draw from here on are free for any number of random numbers. */
enum { DL_AUGMENT_MANY = 64 };
/* Composes place->map with `map`, which maps places of the new image to places of the old. */
void dl_place_add(dl_place *place, const double map[6]);

#endif
