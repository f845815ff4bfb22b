/* SPDX-License-Identifier: MIT */
#include "image/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "image/image.h"

enum { MAX_COLUMNS = 8, TILE_SIDE = 48, GAP = 4 };

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

static void draw_tile(const dl_tiles *t, int tile, dl_grid *p, int top, int left, int factor) {
    float low, high;
    find_range(t, tile, &low, &high);
    for (int y = 0; y < t->shape.dim[0] * factor; y++)
        for (int x = 0; x < t->shape.dim[1] * factor; x++)
            for (int c = 0; c < 3; c++) {
                int64_t at = (int64_t)(y / factor) * t->shape.dim[1] + x / factor;
                float value = 255 * (color(t, tile, at, c) - low) / (high - low);
                p->pixels[((int64_t)(top + y) * p->width + left + x) * 3 + c] =
                    (unsigned char)(fminf(fmaxf(value, 0), 255) + 0.5f);
            }
}

dl_grid dl_grid_draw(const dl_tiles *t, int count) {
    int height = t->shape.dim[0], width = t->shape.dim[1];
    int side = height > width ? height : width, factor = side < TILE_SIDE ? TILE_SIDE / side : 1;
    int columns = count < MAX_COLUMNS ? count : MAX_COLUMNS;
    int rows = (count + columns - 1) / columns, edge = count > 1 ? GAP : 0;
    dl_grid p = {rows * (height * factor + edge) + edge, columns * (width * factor + edge) + edge,
                 NULL};
    p.pixels = xmalloc((size_t)p.height * (size_t)p.width * 3);
    static const unsigned char background[3] = {30, 58, 95}; /* blue: gray tiles stand out */
    for (int64_t i = 0; i < (int64_t)p.height * p.width * 3; i++)
        p.pixels[i] = background[i % 3];
    for (int i = 0; i < count; i++)
        draw_tile(t, i, &p, edge + i / columns * (height * factor + edge),
                  edge + i % columns * (width * factor + edge), factor);
    return p;
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
    return dl_image_encode(p->pixels, p->height, p->width, size);
}

void dl_grid_free(dl_grid *p) {
    free(p->pixels);
    *p = (dl_grid){0};
}
