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

/* Where the pixels of an image are taken from. Kinds that move pixels are put together here, so
   that the image is sampled once. */
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
                    "the share of the images that this is done to")

typedef struct {
    dl_kind kind; /* its struct begins with a dl_augmentation_common */
    /* Can it be done to images of that shape? Else -1 and an error that begins with `where`. First
       with a shape of rank 0, before the data are known: do the options fit each other? NULL: all
       is fine. */
    int (*check)(const void *self, dl_shape image, const char *where, dl_error *error);
    /* One of these three, by which it moves, paints or mixes. `draw` is for this image; block 0 of
       it is used up. */
    void (*move)(const void *self, const dl_draw *draw, dl_place *place);
    void (*paint)(const void *self, const dl_draw *draw, dl_picture *picture);
    /* The share of the image itself where it is blended with another; or sets `box`, which is empty
       before: that is cut out of the other one and pasted in. */
    double (*mix)(const void *self, const dl_draw *draw, int height, int width, dl_box *box);
} dl_augmentation_type;

extern const dl_registry dl_augmentation_registry;

int64_t dl_picture_size(const dl_picture *picture); /* height * width * channels */
/* Numbers of bytes stay between 0 and 255. */
void dl_picture_clamp(const dl_picture *picture);
/* 0.299 R + 0.587 G + 0.114 B */
static inline float dl_picture_grey(const float *rgb) {
    return 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
}
/* A `check` of augmentations of colors: 3 channels. */
int dl_augment_check_rgb(const char *what, dl_shape image, const char *where, dl_error *error);

/* Number `number` of a draw, from 0 to 59, uniform between low and high. */
double dl_augment_number(const dl_draw *draw, int number, double low, double high);
/* Elements of a draw from here on are for as many random numbers as are needed. */
enum { DL_AUGMENT_MANY = 64 };
/* place->map is now that of the image to which `map` has been done, too: map takes places of the
   new image to those of the one before. */
void dl_place_add(dl_place *place, const double map[6]);

#endif
