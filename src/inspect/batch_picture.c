/* SPDX-License-Identifier: MIT */
#include "inspect/batch_picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/loader.h"
#include "image/image.h"

enum { MOST = 64, SIDE = 96, GAP = 4, LINE = 12, MOST_COLUMNS = 8 };

typedef struct {
    const dl_model *model;
    const dl_batch *batch;
    dl_shape image;
    int count, columns, rows, factor; /* samples; of the grid; picture pixels per image pixel */
    int caption;                      /* its height: two lines for mixed samples */
    int cell[2];                      /* height and width of a sample with its caption and gap */
    int height, width;                /* of the picture */
    float low, high;                  /* drawn as black and white */
    float *x;                         /* [count][size of an image], in the units of the files */
    unsigned char *pixels;            /* [height][width][3] */
} sheet;

static unsigned char *pixel(const sheet *s, int row, int column) {
    return s->pixels + ((int64_t)row * s->width + column) * 3;
}

/* Colors of the classes from 1: golden-angle steps on the hue circle. */
static void class_color(int class, float rgb[3]) {
    double turn = 0.38196601125 * class;
    for (int c = 0; c < 3; c++)
        rgb[c] = (float)(127.5 + 127.5 * cos(2 * 3.14159265358979323846 * (turn - c / 3.0)));
}

static bool has_target_per_pixel(const sheet *s) {
    const dl_schema *schema = &s->model->data.schema;
    return dl_augment_target(schema) != DL_TARGET_GLOBAL &&
           schema->outputs == (int64_t)s->image.dim[0] * s->image.dim[1];
}

/* The color of a pixel's target y, and its opacity. */
static float overlay(const sheet *s, float y, float rgb[3]) {
    dl_target_form form = dl_augment_target(&s->model->data.schema);
    class_color(form == DL_TARGET_MASK ? (int)y : 3, rgb);
    if (form == DL_TARGET_MASK)
        return y > 0 ? 0.45f : 0;
    return s->model->data.predict ? 0 : 0.45f * fminf(fmaxf(y, 0), 1);
}

/* An image x with `channels` channels; y: targets to draw over it if there is one per pixel, or
   NULL. */
static void draw_image(const sheet *s, const float *x, int channels, const float *y, int top,
                       int left) {
    int width = s->image.dim[1];
    bool covered = y && has_target_per_pixel(s);
    for (int at = 0; at < s->image.dim[0] * width; at++) {
        float rgb[3] = {0}, part = covered ? overlay(s, y[at], rgb) : 0;
        unsigned char bytes[3];
        for (int c = 0; c < 3; c++) { /* one or two channels: gray; else the first three */
            float value = x[(int64_t)at * channels + (channels < 3 ? 0 : c)];
            value = 255 * (value - s->low) / (s->high - s->low);
            value = (1 - part) * value + part * rgb[c];
            bytes[c] = (unsigned char)(fminf(fmaxf(value, 0), 255) + 0.5f);
        }
        for (int r = 0; r < s->factor; r++)
            for (int k = 0; k < s->factor; k++)
                memcpy(
                    pixel(s, top + at / width * s->factor + r, left + at % width * s->factor + k),
                    bytes, 3);
    }
}

static void add_target(const sheet *s, float y, dl_text *text) {
    const dl_schema *schema = &s->model->data.schema;
    char number[16];
    if (schema->classes)
        dl_text_add(text, "%s", dl_schema_class(schema, (int)y, number));
    else
        dl_text_add(text, "%.4g", (double)y);
}

/* "cat", or "62% cat" and "38% dog" on two lines; nothing if the target is an image. */
static void caption(const sheet *s, int i, dl_text *text) {
    const dl_batch *batch = s->batch;
    int outputs = s->model->data.schema.outputs;
    if (dl_augment_target(&s->model->data.schema) != DL_TARGET_GLOBAL)
        return;
    float y = batch->y[(int64_t)i * outputs];
    if (batch->number)
        dl_text_add(text, "%.4g", (double)batch->number[i]);
    else if (!batch->share || batch->share[i] > 0.995f) {
        if (!s->model->data.schema.classes)
            dl_denormalize(&s->model->data.target, &y, 1, 1);
        add_target(s, y, text);
    } else {
        int share = (int)(100 * batch->share[i] + 0.5f);
        dl_text_add(text, "%d%% ", share);
        add_target(s, y, text);
        dl_text_add(text, "\n%d%% ", 100 - share);
        add_target(s, batch->other[(int64_t)i * outputs], text);
    }
}

/* Clipped to the cell. */
static void draw_caption(const sheet *s, int i, int top, int left) {
    dl_text text = {0};
    caption(s, i, &text);
    if (text.length)
        dl_image_write_text(text.data, s->pixels + ((int64_t)top * s->width + left) * 3, s->caption,
                            s->cell[1] - GAP, s->width);
    dl_text_free(&text);
}

/* Bytes are drawn unchanged; other values are scaled from their minimum to their maximum. */
static void find_range(sheet *s, dl_split part) {
    int64_t size = s->count * dl_shape_size(s->image);
    s->low = 0;
    s->high = 255;
    if (s->model->data.part[part].dataset->bytes)
        return;
    s->low = s->high = s->x[0];
    for (int64_t i = 1; i < size; i++) {
        s->low = fminf(s->low, s->x[i]);
        s->high = fmaxf(s->high, s->x[i]);
    }
    if (s->high <= s->low)
        s->high = s->low + 1;
}

static void lay_out(sheet *s) {
    int most = s->image.dim[0] > s->image.dim[1] ? s->image.dim[0] : s->image.dim[1];
    s->count = s->batch->count < MOST ? (int)s->batch->count : MOST;
    s->columns = s->count < MOST_COLUMNS ? s->count : MOST_COLUMNS;
    s->rows = (s->count + s->columns - 1) / s->columns;
    s->factor = most < SIDE ? SIDE / most : 1;
    bool words = dl_augment_target(&s->model->data.schema) == DL_TARGET_GLOBAL;
    s->caption = words ? (s->batch->share ? 2 * LINE : LINE) : 0;
    s->cell[0] = s->image.dim[0] * s->factor + s->caption + GAP;
    s->cell[1] = s->image.dim[1] * s->factor + GAP;
    s->height = s->rows * s->cell[0] + GAP;
    s->width = s->columns * s->cell[1] + GAP;
}

static int draw(sheet *s, const char *path, dl_error *error) {
    lay_out(s);
    int64_t size = dl_shape_size(s->image), bytes;
    if (!dl_multiply((int64_t)s->height * s->width, 3, &bytes) || bytes > INT32_MAX)
        return dl_fail(error, DL_FAILURE, "%s: %d images of %dx%d are too large for one picture",
                       path, s->count, s->image.dim[0], s->image.dim[1]);
    s->x = xmalloc(sizeof(float) * (size_t)(s->count * size));
    memcpy(s->x, s->batch->x, sizeof(float) * (size_t)(s->count * size));
    dl_denormalize(&s->model->data.input, s->x, s->count, size);
    find_range(s, DL_TRAIN);
    s->pixels = xmalloc((size_t)bytes);
    memset(s->pixels, 48, (size_t)bytes);
    for (int i = 0; i < s->count; i++) {
        int top = GAP + i / s->columns * s->cell[0], left = GAP + i % s->columns * s->cell[1];
        const float *y = s->batch->y + (int64_t)i * s->model->data.schema.outputs;
        draw_image(s, s->x + i * size, s->image.dim[2], y, top, left);
        draw_caption(s, i, top + s->image.dim[0] * s->factor + 2, left);
    }
    int result = dl_image_save(path, s->pixels, s->height, s->width, error);
    free(s->x);
    free(s->pixels);
    return result;
}

int dl_batch_picture_write(dl_model *model, int threads, const char *path, int *shown,
                           dl_error *error) {
    char shape[48];
    if (dl_data_open(&model->data, error))
        return -1;
    if (model->data.schema.input.rank != 3)
        return dl_fail(
            error, DL_USAGE,
            "%s: dlinspect batch is for images (height, width, channels), but a sample of "
            "these data has shape %s",
            model->config->name, dl_shape_text(shape, model->data.schema.input));
    if (dl_model_build(model, true, threads, error))
        return -1;
    dl_loader *loader = dl_loader_new(&model->data, DL_TRAIN, model->batch_size, error);
    if (!loader)
        return -1;
    dl_loader_augment(loader);
    dl_loader_start(loader, dl_model_order(model, true), (uint64_t)model->seed, 0, 0);
    sheet s = {
        .model = model, .batch = dl_loader_next(loader, error), .image = model->data.schema.input};
    int result = s.batch ? draw(&s, path, error) : -1;
    *shown = s.count;
    dl_loader_free(loader);
    return result;
}

/* ---- predictions ---- */

enum { ROWS_PER_SAMPLE = 3, MAX_PREDICTIONS = 24 }; /* input, prediction, target */

/* The predictions of a batch, in the units of the data; of classes the most likely one of each
   pixel. */
static void compute_predictions(const dl_model *model, int count, const float *output,
                                float *prediction) {
    int64_t outputs = model->data.schema.outputs, channels = model->channels;
    if (!model->target.classes) {
        dl_activation link = {.kind = model->loss->link};
        dl_activate(&link, count, channels, NULL, output, prediction);
        dl_denormalize(&model->data.target, prediction, count, outputs);
        return;
    }
    for (int64_t i = 0; i < count * outputs; i++) {
        int best = 0;
        for (int c = 1; c < channels; c++)
            best = output[i * channels + c] > output[i * channels + best] ? c : best;
        prediction[i] = (float)best;
    }
}

/* Input, prediction and target of each sample, below each other. [count][outputs] each. */
static int draw_predictions(sheet *s, const float *prediction, const float *target,
                            const char *path, dl_error *error) {
    int64_t size = dl_shape_size(s->image), outputs = s->model->data.schema.outputs;
    bool mask = s->model->target.classes > 0;
    int channels = mask ? s->image.dim[2] : (int)(outputs / (size / s->image.dim[2]));
    s->pixels = xmalloc((size_t)s->height * (size_t)s->width * 3);
    memset(s->pixels, 48, (size_t)s->height * (size_t)s->width * 3);
    for (int i = 0; i < s->count; i++) {
        int top = GAP + i / s->columns * s->cell[0], left = GAP + i % s->columns * s->cell[1];
        int below = s->image.dim[0] * s->factor + GAP / 2;
        const float *x = s->x + i * size, *a = prediction + i * outputs, *y = target + i * outputs;
        draw_image(s, x, s->image.dim[2], NULL, top, left);
        draw_image(s, mask ? x : a, channels, mask ? a : NULL, top + below, left);
        draw_image(s, mask ? x : y, channels, mask ? y : NULL, top + 2 * below, left);
    }
    int result = dl_image_save(path, s->pixels, s->height, s->width, error);
    free(s->pixels);
    return result;
}

int dl_prediction_picture_write(dl_model *model, dl_split part, const char *path, int *shown,
                                dl_error *error) {
    const dl_schema *schema = &model->data.schema;
    if (schema->input.rank != 3 || dl_augment_target(schema) == DL_TARGET_GLOBAL)
        return dl_fail(error, DL_USAGE,
                       "this is for nets whose target is an image or has a class at each "
                       "pixel");
    dl_loader *loader = dl_loader_new(&model->data, part, model->batch_size, error);
    if (!loader)
        return -1;
    dl_loader_start(loader, DL_SHUFFLED, 0, 0, 0); /* files are often sorted by class */
    sheet s = {.model = model, .batch = dl_loader_next(loader, error), .image = schema->input};
    int result = -1;
    if (s.batch) {
        lay_out(&s);
        s.count = s.count < MAX_PREDICTIONS ? s.count : MAX_PREDICTIONS;
        s.rows = (s.count + s.columns - 1) / s.columns;
        s.cell[0] = ROWS_PER_SAMPLE * (s.image.dim[0] * s.factor + GAP / 2) + GAP;
        s.height = s.rows * s.cell[0] + GAP;
        int64_t size = dl_shape_size(s.image);
        size_t values = (size_t)s.count * (size_t)schema->outputs;
        float *prediction = xmalloc(sizeof *prediction * values),
              *target = xmalloc(sizeof *target * values);
        dl_pass pass = {.batch = (int)s.batch->count};
        dl_net_begin(&model->net);
        dl_net_forward(&model->net, s.batch->x, &pass);
        compute_predictions(model, s.count, dl_net_output(&model->net)->value, prediction);
        memcpy(target, s.batch->y, sizeof *target * values);
        if (!model->target.classes)
            dl_denormalize(&model->data.target, target, s.count, schema->outputs);
        s.x = memcpy(xmalloc(sizeof *s.x * (size_t)(s.count * size)), s.batch->x,
                     sizeof *s.x * (size_t)(s.count * size));
        dl_denormalize(&model->data.input, s.x, s.count, size);
        find_range(&s, part);
        result = draw_predictions(&s, prediction, target, path, error);
        *shown = s.count;
        free(s.x);
        free(prediction);
        free(target);
    }
    dl_loader_free(loader);
    return result;
}
