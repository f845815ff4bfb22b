/* SPDX-License-Identifier: MIT */
/* Scatter plots of embeddings. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "inspect/embed.h"

enum { SIDE = 1000, EDGE = 30, LEGEND = 180, LINE = 16, MOST_NAMES = 58, THUMBNAIL = 28 };

typedef struct {
    unsigned char *pixels; /* [height][width][3] */
    int height, width;
    float low[2], scale; /* of the map */
    float first, last;   /* numbers */
} canvas;

static canvas open_canvas(const dl_embedding *e, const float *map, int side, int legend) {
    static const unsigned char background[3] = {17, 22, 29};
    canvas c = {.height = side, .width = side + legend};
    float high[2];
    for (int axis = 0; axis < 2; axis++) {
        const float *x = map + axis * e->rows;
        c.low[axis] = high[axis] = x[0];
        for (int64_t i = 1; i < e->rows; i++) {
            c.low[axis] = fminf(c.low[axis], x[i]);
            high[axis] = fmaxf(high[axis], x[i]);
        }
    }
    float range = fmaxf(high[0] - c.low[0], high[1] - c.low[1]);
    range = range > 0 ? range : 1;
    for (int axis = 0; axis < 2; axis++)
        c.low[axis] = (c.low[axis] + high[axis] - range) / 2;
    c.scale = (float)(side - 2 * EDGE) / range;
    c.first = c.last = e->target ? e->target[0] : 0;
    for (int64_t i = 0; e->target && i < e->rows; i++) {
        c.first = fminf(c.first, e->target[i]);
        c.last = fmaxf(c.last, e->target[i]);
    }
    c.pixels = xmalloc((size_t)c.height * (size_t)c.width * 3);
    for (int64_t i = 0; i < (int64_t)c.height * c.width * 3; i++)
        c.pixels[i] = background[i % 3];
    return c;
}

/* Up to ten classes: the colors of Tableau, lightened; more: around the color wheel. Numbers: from
   blue to yellow. */
static void find_color(const dl_embedding *e, const canvas *c, float target, float rgb[3]) {
    static const unsigned char ten[][3] = {
        {92, 156, 226},  {255, 154, 64},  {92, 196, 92},   {238, 92, 92},  {176, 130, 220},
        {186, 132, 112}, {240, 140, 205}, {170, 170, 170}, {214, 214, 72}, {64, 210, 222}};
    float part = c->last > c->first ? (target - c->first) / (c->last - c->first) : 0;
    for (int k = 0; k < 3; k++)
        if (!e->target)
            rgb[k] = ten[0][k];
        else if (!e->classes)
            rgb[k] = (float[]){60, 90, 220}[k] + part * (float[]){195, 130, -170}[k];
        else if (e->classes <= 10)
            rgb[k] = ten[(int)target][k];
        else {
            float hue = 6 * target / (float)e->classes + 2 * (float)k;
            float wave = fabsf(hue - 6 * floorf(hue / 6) - 3) - 1;
            rgb[k] = ((int)target % 2 ? 170 : 255) * (0.25f + 0.75f * fminf(fmaxf(wave, 0), 1));
        }
}

static void find_pixel(const dl_embedding *e, const canvas *c, const float *map, int64_t i,
                       float at[2]) {
    at[0] = EDGE + (map[i] - c->low[0]) * c->scale;
    at[1] = (float)c->height - EDGE - (map[e->rows + i] - c->low[1]) * c->scale;
}

static void draw_disk(const canvas *c, const float at[2], float radius, const float rgb[3]) {
    int left = (int)(at[0] - radius - 1), top = (int)(at[1] - radius - 1);
    for (int y = top; y <= top + 2 * radius + 3; y++)
        for (int x = left; x <= left + 2 * radius + 3; x++) {
            float inside = radius + 0.5f - hypotf((float)x - at[0], (float)y - at[1]);
            if (inside <= 0 || x < 0 || y < 0 || x >= c->width || y >= c->height)
                continue;
            unsigned char *pixel = c->pixels + ((int64_t)y * c->width + x) * 3;
            for (int k = 0; k < 3; k++)
                pixel[k] = (unsigned char)(pixel[k] +
                                           0.85f * fminf(inside, 1) * (rgb[k] - (float)pixel[k]));
        }
}

static void draw_text(const canvas *c, int x, int y, const char *text) {
    dl_image_write_text(text, c->pixels + ((int64_t)y * c->width + x) * 3, LINE, c->width - x,
                        c->width);
}

/* One line per class, or the range of the numbers. */
static void draw_legend(const dl_embedding *e, const canvas *c) {
    int lines = !e->target ? 0 : e->classes ? e->classes : 5;
    char text[64], number[16];
    for (int k = 0; k < lines; k++) {
        float value = e->classes ? (float)k : c->last + (float)k * (c->first - c->last) / 4, rgb[3];
        const float at[2] = {c->width - LEGEND + 16, (float)(EDGE + k * LINE) + 5};
        if (k == MOST_NAMES) {
            snprintf(text, sizeof text, "and %d more", lines - k);
            draw_text(c, c->width - LEGEND + 10, EDGE + k * LINE, text);
            return;
        }
        find_color(e, c, value, rgb);
        draw_disk(c, at, 5, rgb);
        snprintf(text, sizeof text, "%.5g", (double)value);
        draw_text(c, c->width - LEGEND + 28, EDGE + k * LINE,
                  e->classes ? dl_schema_class(&e->look->model->data.schema, k, number) : text);
    }
}

static int save(const dl_embedding *e, canvas *c, const char *kind, dl_error *error) {
    dl_grid grid = {.height = c->height, .width = c->width, .pixels = c->pixels};
    return dl_look_save(e->look, kind, &grid, error);
}

int dl_embedding_draw(const dl_embedding *e, const char *kind, const char *title, const float *map,
                      dl_error *error) {
    canvas c = open_canvas(e, map, SIDE, LEGEND);
    float radius = fminf(fmaxf(220 / sqrtf((float)e->rows), 1), 7), at[2], rgb[3];
    for (int64_t i = 0; i < e->rows; i++) {
        find_pixel(e, &c, map, i, at);
        find_color(e, &c, e->target ? e->target[i] : 0, rgb);
        draw_disk(&c, at, radius, rgb);
    }
    draw_legend(e, &c);
    draw_text(&c, 10, 8, title);
    return save(e, &c, kind, error);
}

/* ---- thumbnails ---- */

/* A row's picture, with an edge in the color of its target. */
static void draw_thumbnail(const dl_embedding *e, const canvas *c, const float *x, int64_t i,
                           int top, int left) {
    const dl_shape shape = e->look->model->data.schema.input;
    dl_tiles tiles = {.value = x,
                      .pixel_stride = shape.dim[2],
                      .channel_stride = 1,
                      .shape = shape,
                      .bytes = dl_look_has_bytes(e->look)};
    unsigned char *rgb = xmalloc((size_t)shape.dim[0] * (size_t)shape.dim[1] * 3);
    unsigned char small[THUMBNAIL * THUMBNAIL * 3];
    const dl_image_form form = {.shape = {.rank = 3, .dim = {THUMBNAIL, THUMBNAIL, 3}}};
    float edge[3];
    dl_tile_paint(&tiles, 0, rgb);
    find_color(e, c, e->target ? e->target[i] : 0, edge);
    if (!dl_image_fit(rgb, shape.dim[0], shape.dim[1], &form, small))
        for (int p = 0; p < THUMBNAIL * THUMBNAIL * 3; p++) {
            int y = p / 3 / THUMBNAIL, s = p / 3 % THUMBNAIL;
            bool is_edge = !y || !s || y == THUMBNAIL - 1 || s == THUMBNAIL - 1;
            c->pixels[((int64_t)(top + y) * c->width + left + s) * 3 + p % 3] =
                is_edge ? (unsigned char)edge[p % 3] : small[p];
        }
    free(rgb);
}

int dl_embedding_draw_thumbnails(const dl_embedding *e, const float *map, dl_error *error) {
    enum { CELLS = 54, CELL = THUMBNAIL + 2, LARGE = CELLS * CELL };
    canvas c = open_canvas(e, map, LARGE, LEGEND);
    const dl_model *model = e->look->model;
    float *x = xmalloc(sizeof *x * (size_t)dl_shape_size(model->data.schema.input)), at[2];
    bool used[CELLS][CELLS] = {{false}};
    int result = 0;
    for (int64_t i = 0; i < e->rows && !result; i++) {
        find_pixel(e, &c, map, i, at);
        int left = (int)at[0] / CELL, top = (int)at[1] / CELL;
        if (left < 0 || top < 0 || left >= CELLS || top >= CELLS || used[top][left])
            continue;
        used[top][left] = true;
        result =
            dl_dataset_read(model->data.part[e->look->split].dataset, e->index[i], x, NULL, error);
        if (!result)
            draw_thumbnail(e, &c, x, i, top * CELL, left * CELL);
    }
    free(x);
    draw_legend(e, &c);
    if (!result)
        return save(e, &c, "thumbnails", error);
    free(c.pixels);
    return -1;
}
