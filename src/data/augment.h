/* SPDX-License-Identifier: MIT */
/* Reads rows through the augmentations of a config: a pure function of (seed, epoch, row). */
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

/* The relation of a target to its image. */
typedef enum {
    DL_TARGET_GLOBAL, /* of the whole image: not moved */
    DL_TARGET_IMAGE,  /* an image of the same size: moved along */
    DL_TARGET_MASK    /* a class per pixel: moved along, never interpolated */
} dl_target_form;

typedef struct {
    /* options of the section `data` */
    config_setting_t *list;
    int border, test_time; /* a dl_border, a dl_test_time */
    int64_t workers;
    /* set by dl_augment_read */
    dl_augmentation *items; /* [count]; in the arena */
    int count;
    bool moves, mixes; /* some item does */
} dl_augment;

extern const dl_option dl_augment_options[];

/* Reads data.augment. */
int dl_augment_read(dl_augment *augment, dl_config *config, dl_arena *arena, dl_error *error);
/* Checks the augmentations against the data. `stacked`: a row is two stacked images. */
int dl_augment_check(const dl_augment *augment, const dl_schema *schema, bool stacked,
                     dl_error *error);
dl_target_form dl_augment_target(const dl_schema *schema);

/* Work space of a thread; all zero is valid, empty. */
typedef struct {
    float *x[2]; /* [size of an image] */
    float *y;    /* [outputs] */
    float *field, *work;
    int64_t bytes;
} dl_augment_scratch;

void dl_augment_scratch_open(dl_augment_scratch *scratch, const dl_schema *schema);
void dl_augment_scratch_close(dl_augment_scratch *scratch);

/* A pass over the training split. */
typedef struct {
    const dl_augment *augment;
    const dl_dataset *dataset;
    const dl_schema *schema;    /* of the network: bins are classes */
    const int64_t *index, rows; /* rows of the dataset to mix with */
    uint64_t seed;
    uint32_t epoch;
} dl_augment_pass;

/* An augmented row. */
typedef struct {
    float *x;     /* [size of an image], not normalized */
    float *y;     /* [outputs]; if mixed, of the row with the larger share */
    float *other; /* [outputs], if classes can be mixed: of the row with the smaller share */
    float share;  /* of y: 0.5 to 1 */
} dl_augmented;

/* Reads and augments row `row` of the dataset into made->x, y and, unless NULL, other. Thread-safe.
 */
int dl_augment_row(const dl_augment_pass *pass, dl_augment_scratch *scratch, int64_t row,
                   dl_augmented *made, dl_error *error);

#endif
