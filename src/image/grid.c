/* SPDX-License-Identifier: MIT */
#include "image/grid.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "image/image.h"

enum { MAX_COLUMNS = 8, TILE_SIDE = 48, GAP = 4, LINE = 12 };

const char *dl_class_color(int class, unsigned char rgb[3]) {
    static const unsigned char colors[10][3] = {
        {31, 119, 180}, {255, 127, 14},  {44, 160, 44},   {214, 39, 40},  {148, 103, 189},
        {140, 86, 75},  {227, 119, 194}, {127, 127, 127}, {188, 189, 34}, {23, 190, 207}};
    static const char *const names[10] = {"blue",  "orange", "green", "red",   "purple",
                                          "brown", "pink",   "gray",  "olive", "cyan"};
    memcpy(rgb, colors[class % 10], 3);
    return names[class % 10];
}

static float channel_mean(const dl_tiles *t, const float *pixel) {
    double sum = 0;
    for (int c = 0; c < t->shape.dim[2]; c++)
        sum += pixel[c * t->channel_stride];
    return (float)(sum / t->shape.dim[2]);
}

static float color(const dl_tiles *t, int tile, int64_t at, int c) {
    const float *pixel = t->value + tile * t->tile_stride + at * t->pixel_stride;
    return t->shape.dim[2] == 3 ? pixel[c * t->channel_stride] : channel_mean(t, pixel);
}

/* The values drawn black and white. */
static void find_range(const dl_tiles *t, int tile, float *low, float *high) {
    *low = 0;
    *high = 255;
    if (t->bytes)
        return;
    for (int64_t at = 0; at < (int64_t)t->shape.dim[0] * t->shape.dim[1]; at++)
        for (int c = 0; c < 3; c++) {
            float value = color(t, tile, at, c);
            *low = at + c ? fminf(*low, value) : value;
            *high = at + c ? fmaxf(*high, value) : value;
        }
    if (t->weights) {
        *high = fmaxf(fabsf(*low), fabsf(*high));
        *low = -*high;
    }
    if (!(*high > *low)) {
        *low -= 1;
        *high += 1;
    }
}

void dl_tile_paint(const dl_tiles *t, int tile, unsigned char *rgb) {
    float low, high;
    find_range(t, tile, &low, &high);
    for (int64_t at = 0; at < (int64_t)t->shape.dim[0] * t->shape.dim[1]; at++)
        for (int c = 0; c < 3; c++) {
            float value = 255 * (color(t, tile, at, c) - low) / (high - low);
            rgb[at * 3 + c] = (unsigned char)(fminf(fmaxf(value, 0), 255) + 0.5f);
        }
}

dl_grid dl_grid_open(int count, int columns, const int side[2], int target, int lines) {
    static const unsigned char background[3] = {30, 58, 95}; /* blue: gray tiles stand out */
    int most = side[0] > side[1] ? side[0] : side[1], factor = most < target ? target / most : 1;
    int rows = (count + columns - 1) / columns, edge = count > 1 || lines ? GAP : 0;
    dl_grid g = {.columns = columns,
                 .edge = edge,
                 .side = {side[0] * factor, side[1] * factor},
                 .lines = lines,
                 .factor = factor};
    g.height = rows * (g.side[0] + lines * LINE + edge) + edge;
    g.width = columns * (g.side[1] + edge) + edge;
    g.pixels = xmalloc((size_t)g.height * (size_t)g.width * 3);
    for (int64_t i = 0; i < (int64_t)g.height * g.width * 3; i++)
        g.pixels[i] = background[i % 3];
    return g;
}

/* The upper left pixel of a cell. */
static unsigned char *corner(const dl_grid *g, int cell) {
    int64_t row = g->edge + cell / g->columns * (g->side[0] + g->lines * LINE + g->edge);
    return g->pixels + (row * g->width + g->edge + cell % g->columns * (g->side[1] + g->edge)) * 3;
}

void dl_grid_place(dl_grid *g, int cell, const unsigned char *rgb, int height, int width) {
    int64_t top = (g->side[0] - height * g->factor) / 2,
            left = (g->side[1] - width * g->factor) / 2;
    unsigned char *out = corner(g, cell) + (top * g->width + left) * 3;
    for (int64_t y = 0; y < (int64_t)height * g->factor; y++)
        for (int64_t x = 0; x < (int64_t)width * g->factor; x++)
            memcpy(out + (y * g->width + x) * 3, rgb + (y / g->factor * width + x / g->factor) * 3,
                   3);
}

void dl_grid_place_tile(dl_grid *g, int cell, const dl_tiles *t, int tile) {
    int height = t->shape.dim[0], width = t->shape.dim[1];
    unsigned char *rgb = xmalloc((size_t)height * (size_t)width * 3);
    dl_tile_paint(t, tile, rgb);
    dl_grid_place(g, cell, rgb, height, width);
    free(rgb);
}

void dl_grid_caption(dl_grid *g, int cell, const char *format, ...) {
    dl_text text = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&text, format, arguments);
    va_end(arguments);
    dl_image_write_text(dl_text_get(&text),
                        corner(g, cell) + (g->side[0] + 2) * (int64_t)g->width * 3, g->lines * LINE,
                        g->side[1], g->width);
    dl_text_free(&text);
}

int dl_grid_save(const dl_grid *g, const char *path, dl_error *error) {
    return dl_image_save(path, g->pixels, g->height, g->width, error);
}

dl_grid dl_grid_draw(const dl_tiles *t, int count) {
    dl_grid g =
        dl_grid_open(count, count < MAX_COLUMNS ? count : MAX_COLUMNS, t->shape.dim, TILE_SIDE, 0);
    for (int i = 0; i < count; i++)
        dl_grid_place_tile(&g, i, t, i);
    return g;
}

dl_grid dl_grid_images(const float *x, int count, dl_shape shape, bool bytes) {
    dl_tiles t = {.value = x,
                  .tile_stride = dl_shape_size(shape),
                  .pixel_stride = shape.dim[2],
                  .channel_stride = 1,
                  .shape = shape,
                  .bytes = bytes};
    return dl_grid_draw(&t, count);
}

unsigned char *dl_grid_png(const dl_grid *p, int *size) {
    return dl_image_encode(p->pixels, p->height, p->width, 3, size);
}

void dl_grid_free(dl_grid *p) {
    free(p->pixels);
    *p = (dl_grid){0};
}
