/* SPDX-License-Identifier: MIT */
/* Wraps stb_image_write and stb_easy_font. Private to image.c. */
#ifndef DL_IMAGE_STB_IMAGE_WRITE_H
#define DL_IMAGE_STB_IMAGE_WRITE_H

/* A vertex of stb_easy_font. */
typedef struct {
    float x, y, z;
    unsigned char color[4];
} dl_stb_corner;

/* pixels[height][width][channels] as a PNG file, freed by the caller; NULL: no memory, or
   more than 700 MB of pixels. */
unsigned char *dl_stb_png(const unsigned char *pixels, int height, int width, int channels,
                          int *bytes);
/* The text as at most `max` rectangles of four corners each, the first and third opposite. Returns
   their count. */
int dl_stb_text(const char *text, dl_stb_corner *corners, int max);

#endif
