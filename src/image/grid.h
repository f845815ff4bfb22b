/* SPDX-License-Identifier: MIT */
/* Grids of small images. */
#ifndef DL_IMAGE_GRID_H
#define DL_IMAGE_GRID_H

#include <stdbool.h>

#include "base/error.h"
#include "math/shape.h"

/* Cells of one size, each with a picture and below it a caption. */
typedef struct {
    int height, width;
    unsigned char *pixels; /* [height][width][3], owned */
    int columns, edge;     /* edge: pixels between cells */
    int side[2], lines;    /* of a cell: height and width of its picture, lines of its caption */
    int factor;            /* by which pictures are enlarged */
} dl_grid;

/* Images to draw. Three channels are RGB; of any other number the mean is drawn in gray. */
typedef struct {
    const float *value;
    int64_t tile_stride, pixel_stride, channel_stride; /* in floats */
    dl_shape shape;                                    /* height, width, channels */
    bool weights; /* gray is 0; black and white are minus and plus the largest magnitude */
    bool bytes; /* black to white is 0 to 255; else, unless weights, minimum to maximum of a tile */
} dl_tiles;

/* For `count` cells, `columns` in a row, of pictures of at most side[] (height, width), enlarged by
   a whole factor to at most `target` pixels. */
dl_grid dl_grid_open(int count, int columns, const int side[2], int target, int lines);
/* Draws rgb[height][width][3] in the middle of a cell. */
void dl_grid_place(dl_grid *grid, int cell, const unsigned char *rgb, int height, int width);
/* Draws one of the tiles there. */
void dl_grid_place_tile(dl_grid *grid, int cell, const dl_tiles *tiles, int tile);
void dl_grid_caption(dl_grid *grid, int cell, const char *format, ...) DL_PRINTF(3, 4);
/* Writes a PNG file. 0, or -1 and an error. */
int dl_grid_save(const dl_grid *grid, const char *path, dl_error *error);

/* The color of a class, or of a curve, and its name; they repeat after ten. */
const char *dl_class_color(int class, unsigned char rgb[3]);

dl_grid dl_grid_draw(const dl_tiles *tiles, int count);
/* One of them, to rgb[height][width][3]. */
void dl_tile_paint(const dl_tiles *tiles, int tile, unsigned char *rgb);
/* Tiles of x[count][shape], in the units of the files; `bytes` as in dl_tiles. */
dl_grid dl_grid_images(const float *x, int count, dl_shape shape, bool bytes);
/* A PNG file of *size bytes in memory, freed by the caller. */
unsigned char *dl_grid_png(const dl_grid *picture, int *size);
void dl_grid_free(dl_grid *picture);

#endif
