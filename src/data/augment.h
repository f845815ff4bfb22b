/* SPDX-License-Identifier: MIT */
/* Augmentation: the images of the training part are varied anew in each epoch. The contract of a
   kind of augmentation (its file, one line in augment_registry.c), and the list of them that a
   config has. What becomes of a row is a pure function of (seed, epoch, row). */
#ifndef DL_DATA_AUGMENT_H
#define DL_DATA_AUGMENT_H

#include "base/random.h"
#include "config/config.h"
#include "formats/dataset.h"
#include "math/warp.h"

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
    float *x;     /* [height][width][channels] */
    double range; /* from black to white: 255 for bytes, else 1 */
    bool bytes;   /* the numbers stay between 0 and range */
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

/* Number `number` of a draw, from 0 to 59, uniform between low and high. */
double dl_augment_number(const dl_draw *draw, int number, double low, double high);
/* Elements of a draw from here on are for as many random numbers as are needed. */
enum { DL_AUGMENT_MANY = 64 };
/* place->map is now that of the image to which `map` has been done, too: map takes places of the
   new image to those of the one before. */
void dl_place_add(dl_place *place, const double map[6]);

/* ---- the list of a config ---- */

typedef enum { DL_VIEWS_ONE, DL_VIEWS_FLIP, DL_VIEWS_FIVE } dl_test_time;

typedef struct {
    const dl_augmentation_type *type;
    void *self;
    const char *where;
} dl_augmentation;

/* How a target goes with its image. */
typedef enum {
    DL_TARGET_APART, /* it says something of the image as a whole */
    DL_TARGET_IMAGE, /* it is an image of the same size: it is moved alike */
    DL_TARGET_MASK   /* it has a class at each pixel: it is moved alike, classes are not mixed */
} dl_target_form;

typedef struct {
    /* options of the section `data` */
    config_setting_t *list;
    int border, test_time; /* a dl_border, a dl_test_time */
    int64_t workers;
    /* made by dl_augment_read */
    dl_augmentation *items; /* [count]; in the arena */
    int count;
    bool moves, mixes; /* has some that do */
} dl_augment;

extern const dl_option dl_augment_options[];

/* Reads data.augment, which the table above has found. */
int dl_augment_read(dl_augment *augment, dl_config *config, dl_arena *arena, dl_error *error);
/* Can it be done to such rows? `stacked`: a row is two images, one above the other. */
int dl_augment_check(const dl_augment *augment, const dl_schema *schema, bool stacked,
                     dl_error *error);
dl_target_form dl_augment_form(const dl_schema *schema);

/* What a thread needs to augment rows; all zero is valid, empty. */
typedef struct {
    float *x[2]; /* [size of an image] */
    float *y;    /* [outputs] */
    float *field, *scratch;
    int64_t bytes;
} dl_augment_room;

void dl_augment_room_open(dl_augment_room *room, const dl_schema *schema);
void dl_augment_room_close(dl_augment_room *room);

/* The training part, as a pass goes over it. */
typedef struct {
    const dl_augment *augment;
    const dl_dataset *dataset;
    const dl_schema *schema;    /* the network's: classes where numbers are in bins */
    const int64_t *index, rows; /* of the data set, from which others are taken to mix */
    uint64_t seed;
    uint32_t epoch;
} dl_augment_pass;

/* A row as it looks in this pass. */
typedef struct {
    float *x;     /* [size of an image], not normalized */
    float *y;     /* [outputs]; of what has the larger share where two are mixed */
    float *other; /* [outputs]: where classes can be mixed, the target of what has the smaller */
    float share;  /* of y: 0.5 to 1 */
} dl_augmented;

/* Reads row `row` of the data set and augments it into row->x, y and, unless it is NULL, other. Any
   thread, any order. */
int dl_augment_row(const dl_augment_pass *pass, dl_augment_room *room, int64_t row,
                   dl_augmented *made, dl_error *error);

#endif
