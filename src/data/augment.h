/* SPDX-License-Identifier: MIT */
/* The augmentations of a config, and how rows are read through them. What becomes of a row is a
   pure function of (seed, epoch, row). */
#ifndef DL_DATA_AUGMENT_H
#define DL_DATA_AUGMENT_H

#include "augment/augmentation.h"
#include "config/config.h"
#include "formats/dataset.h"

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
