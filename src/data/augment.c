/* SPDX-License-Identifier: MIT */
/* Order per row: the transforms that move pixels, composed and sampled once; those that change
   values, in the order of the list; then mixing with another row, augmented in the same way. */
#include "data/augment.h"

#include <stdlib.h>
#include <string.h>

#include "math/warp.h"

static const char *const test_time_names[] = {"none", "flip", "five_crop", NULL};

const dl_option dl_augment_options[] = {
    DL_SETTING_OPTION(
        "augment", dl_augment, list, DL_NO_DEFAULT,
        "a list ( { type = \"rotate\"; degrees = 15; }, … ) of random transforms of the training "
        "images, applied before normalization and drawn anew in each epoch. Those that move pixels "
        "are composed and the image is sampled once (bilinear); the others follow in the order of "
        "the list. A target that is an image or a mask is moved along with its image. Validation, "
        "test and statistics use the original images"),
    DL_CHOICE_OPTION("augment_border", dl_augment, border, "zero", dl_border_names,
                     "how the area outside the image is filled: zero (black; class 0 of a mask), "
                     "edge (the nearest pixel of the image) or reflect (the mirrored image)"),
    DL_INT_OPTION(
        "workers", dl_augment, workers, "1", 1, 64,
        "threads that read and augment the next batch during training; results do not depend on "
        "it. Increase it if data_seconds in history.csv shows that training waits for data"),
    DL_CHOICE_OPTION(
        "test_time", dl_augment, test_time, "none", test_time_names,
        "test-time augmentation in validation and test: the mean of the predictions (for classes, "
        "of the probabilities) of several views of each image: flip (the image and its mirror "
        "image; takes twice as long) or five_crop (the image, and shifted by 1/16 of its size "
        "toward each corner; takes five times as long)"),
    DL_OPTIONS_END,
};

/* ---- reading the config ---- */

static int read_item(dl_augment *augment, dl_config *config, config_setting_t *group,
                     dl_error *error) {
    const char *where = dl_config_where(config, group);
    if (!config_setting_is_group(group))
        return dl_fail(error, DL_USAGE, "%s: an augmentation must be a group { type = \"…\"; … }",
                       where);
    dl_chosen chosen;
    int result =
        dl_config_read_kind(config, group, &dl_augmentation_registry, NULL, NULL, &chosen, error);
    if (!chosen.kind)
        return -1;
    dl_augmentation *item = &augment->items[augment->count++];
    *item = (dl_augmentation){(const dl_augmentation_type *)chosen.kind, chosen.self, where};
    augment->moves |= item->type->move != NULL;
    augment->mixes |= item->type->mix != NULL;
    if (result)
        return -1;
    return item->type->check ? item->type->check(item->self, (dl_shape){0}, where, error) : 0;
}

int dl_augment_read(dl_augment *augment, dl_config *config, dl_arena *arena, dl_error *error) {
    if (!augment->list)
        return 0;
    if (!config_setting_is_list(augment->list))
        return dl_fail(error, DL_USAGE, "%s: \"augment\" must be a list ( { type = \"…\"; … }, … )",
                       dl_config_where(config, augment->list));
    int length = config_setting_length(augment->list), result = 0;
    augment->items = dl_arena_alloc(arena, sizeof *augment->items * ((size_t)length + 1));
    for (int i = 0; i < length; i++)
        result |=
            read_item(augment, config, config_setting_get_elem(augment->list, (unsigned)i), error);
    return result;
}

/* ---- checks against the data ---- */

dl_target_form dl_augment_target(const dl_schema *schema) {
    int64_t pixels = (int64_t)schema->input.dim[0] * schema->input.dim[1];
    if (schema->input.rank != 3 || pixels < 2 || schema->outputs < pixels ||
        schema->outputs % pixels)
        return DL_TARGET_GLOBAL;
    return schema->classes ? DL_TARGET_MASK : DL_TARGET_IMAGE;
}

int dl_augment_check(const dl_augment *augment, const dl_schema *schema, bool stacked,
                     dl_error *error) {
    int result = 0;
    char shape[48];
    for (int i = 0; i < augment->count; i++) {
        const dl_augmentation *item = &augment->items[i];
        const char *name = item->type->kind.name;
        if (schema->input.rank != 3)
            return dl_fail(error, DL_USAGE,
                           "%s: data.augment is for images (height, width, channels), but a sample "
                           "of this data has shape %s",
                           item->where, dl_shape_text(shape, schema->input));
        if (stacked)
            return dl_fail(
                error, DL_USAGE,
                "%s: data.augment is for single images, but data.predict = \"same\" makes pairs",
                item->where);
        if ((item->type->move || item->type->mix) && schema->classes && schema->outputs > 1 &&
            dl_augment_target(schema) == DL_TARGET_GLOBAL)
            result =
                dl_fail(error, DL_USAGE,
                        "%s: \"%s\" cannot transform the targets: there are %d positions with a "
                        "class, but the image (%s) has %d pixels",
                        item->where, name, schema->outputs, dl_shape_text(shape, schema->input),
                        schema->input.dim[0] * schema->input.dim[1]);
        if (item->type->check)
            result |= item->type->check(item->self, schema->input, item->where, error);
    }
    return result;
}

/* ---- drawing ---- */

/* Whether augmentation i is applied to the row; sets its draw. */
static bool is_applied(const dl_augment_pass *pass, int i, int64_t row, dl_draw *draw) {
    const dl_augmentation_common *common = pass->augment->items[i].self;
    uint32_t words[4];
    *draw = (dl_draw){.seed = pass->seed,
                      .purpose = DL_FOR_AUGMENT,
                      .stream = (uint16_t)i,
                      .epoch = pass->epoch,
                      .step = (uint32_t)row};
    dl_random_words(draw, 0, words);
    return (double)words[0] * 0x1p-32 < common->probability;
}

/* ---- a row ---- */

void dl_augment_scratch_open(dl_augment_scratch *scratch, const dl_schema *schema) {
    size_t pixels = (size_t)schema->input.dim[0] * (size_t)schema->input.dim[1];
    size_t size = (size_t)dl_shape_size(schema->input), outputs = (size_t)schema->outputs;
    size_t larger = size > outputs ? size : outputs;
    scratch->x[0] = xcalloc(larger, sizeof(float)); /* also holds a copy of a target */
    scratch->x[1] = xcalloc(size, sizeof(float));
    scratch->y = xcalloc(outputs, sizeof(float));
    scratch->field = xcalloc(2 * pixels, sizeof(float));
    scratch->work = xcalloc(3 * pixels, sizeof(float));
    scratch->bytes = (int64_t)(sizeof(float) * (larger + size + outputs + 5 * pixels));
}

void dl_augment_scratch_close(dl_augment_scratch *scratch) {
    free(scratch->x[0]);
    free(scratch->x[1]);
    free(scratch->y);
    free(scratch->field);
    free(scratch->work);
    *scratch = (dl_augment_scratch){0};
}

static void apply_moves(const dl_augment_pass *pass, dl_augment_scratch *scratch, int64_t row,
                        float *x, float *y) {
    static const double identity[6] = {1, 0, 0, 0, 1, 0};
    const dl_augment *augment = pass->augment;
    dl_shape image = pass->schema->input;
    dl_transform transform = {.height = image.dim[0],
                              .width = image.dim[1],
                              .field = scratch->field,
                              .scratch = scratch->work};
    memcpy(transform.map, identity, sizeof identity);
    dl_draw draw;
    for (int i = 0; i < augment->count; i++)
        if (augment->items[i].type->move && is_applied(pass, i, row, &draw))
            augment->items[i].type->move(augment->items[i].self, &draw, &transform);
    if (!transform.bent && !memcmp(transform.map, identity, sizeof identity))
        return;
    dl_warp warp = {.height = transform.height,
                    .width = transform.width,
                    .field = transform.bent ? transform.field : NULL,
                    .border = (dl_border)augment->border};
    memcpy(warp.map, transform.map, sizeof transform.map);
    size_t size = (size_t)dl_shape_size(image), outputs = (size_t)pass->schema->outputs;
    memcpy(scratch->x[0], x, sizeof(float) * size);
    dl_warp_bilinear(&warp, dl_shape_channels(image), scratch->x[0], x);
    dl_target_form form = dl_augment_target(pass->schema);
    if (form == DL_TARGET_GLOBAL)
        return;
    memcpy(scratch->x[0], y, sizeof(float) * outputs);
    int channels = (int)outputs / (transform.height * transform.width);
    (form == DL_TARGET_MASK ? dl_warp_nearest : dl_warp_bilinear)(&warp, channels, scratch->x[0],
                                                                  y);
}

/* Reads a row and augments it, except for mixing. */
static int read_unmixed(const dl_augment_pass *pass, dl_augment_scratch *scratch, int64_t row,
                        float *x, float *y, dl_error *error) {
    if (dl_dataset_read(pass->dataset, row, x, y, error))
        return -1;
    if (pass->augment->moves)
        apply_moves(pass, scratch, row, x, y);
    bool bytes = pass->dataset->bytes;
    dl_shape image = pass->schema->input;
    dl_picture picture = {.height = image.dim[0],
                          .width = image.dim[1],
                          .channels = image.dim[2],
                          .x = x,
                          .scratch = scratch->x[0],
                          .range = bytes ? 255 : 1,
                          .bytes = bytes};
    dl_draw draw;
    for (int i = 0; i < pass->augment->count; i++) {
        const dl_augmentation *item = &pass->augment->items[i];
        if (item->type->paint && is_applied(pass, i, row, &draw))
            item->type->paint(item->self, &draw, &picture);
    }
    return 0;
}

/* Copies the box from `from` to `to`, both [height][width][channels]. */
static void paste(const dl_box *box, int width, int channels, const float *from, float *to) {
    size_t bytes = sizeof(float) * (size_t)(box->last[1] - box->first[1]) * (size_t)channels;
    for (int r = box->first[0]; r < box->last[0]; r++) {
        int64_t at = ((int64_t)r * width + box->first[1]) * channels;
        memcpy(to + at, from + at, bytes);
    }
}

static void blend(float share, int64_t count, const float *other, float *own) {
    for (int64_t i = 0; i < count; i++)
        own[i] = share * own[i] + (1 - share) * other[i];
}

/* Classes are not blended: both are returned, the one with the larger share in y. */
static void set_both_targets(dl_augmented *made, const float *other, int outputs, float share) {
    for (int k = 0; k < outputs; k++) {
        float own = made->y[k];
        made->y[k] = share < 0.5f ? other[k] : own;
        made->other[k] = share < 0.5f ? own : other[k];
    }
    made->share = share < 0.5f ? 1 - share : share;
}

static void mix(const dl_augment_pass *pass, const dl_augmentation *item, const dl_draw *draw,
                const dl_augment_scratch *scratch, dl_augmented *made) {
    dl_shape image = pass->schema->input;
    dl_box box = {{0, 0}, {0, 0}};
    int height = image.dim[0], width = image.dim[1], outputs = pass->schema->outputs;
    float share = (float)item->type->mix(item->self, draw, height, width, &box);
    int area = (box.last[0] - box.first[0]) * (box.last[1] - box.first[1]);
    dl_target_form form = dl_augment_target(pass->schema);
    if (share >= 1)
        return;
    if (area)
        paste(&box, width, image.dim[2], scratch->x[1], made->x);
    else
        blend(share, dl_shape_size(image), scratch->x[1], made->x);
    if (area && form != DL_TARGET_GLOBAL)
        paste(&box, width, outputs / (height * width), scratch->y, made->y);
    else if (pass->schema->classes)
        set_both_targets(made, scratch->y, outputs, share);
    else
        blend(share, outputs, scratch->y, made->y);
}

int dl_augment_row(const dl_augment_pass *pass, dl_augment_scratch *scratch, int64_t row,
                   dl_augmented *made, dl_error *error) {
    if (read_unmixed(pass, scratch, row, made->x, made->y, error))
        return -1;
    made->share = 1;
    dl_draw draw;
    for (int i = 0; i < pass->augment->count; i++) {
        const dl_augmentation *item = &pass->augment->items[i];
        if (!item->type->mix || !is_applied(pass, i, row, &draw))
            continue;
        uint32_t words[4];
        dl_random_words(&draw, 0, words);
        uint64_t chance = (uint64_t)words[1] << 32 | words[2];
        int64_t partner = pass->index[chance % (uint64_t)pass->rows];
        if (read_unmixed(pass, scratch, partner, scratch->x[1], scratch->y, error))
            return -1;
        mix(pass, item, &draw, scratch, made);
        break; /* at most once */
    }
    if (made->other && made->share == 1)
        memcpy(made->other, made->y, sizeof(float) * (size_t)pass->schema->outputs);
    return 0;
}
