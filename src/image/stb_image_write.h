/* SPDX-License-Identifier: MIT */
/* What is used of stb_image_write and stb_easy_font. Private to src/data/image.c. */
#ifndef DL_IMAGE_STB_IMAGE_WRITE_H
#define DL_IMAGE_STB_IMAGE_WRITE_H

/* A corner as stb_easy_font writes it. */
typedef struct {
    float x, y, z;
    unsigned char colour[4];
} dl_stb_corner;

/* pixels[height][width][3] as a PNG file, freed by the caller; NULL: no memory. */
unsigned char *dl_stb_png(const unsigned char *pixels, int height, int width, int *bytes);
/* The letters as rectangles, four corners each, of which the first and the third are opposite: at
   most `most` of them. Returns how many. */
int dl_stb_text(const char *text, dl_stb_corner *corners, int most);

#endif
