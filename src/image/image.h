/* SPDX-License-Identifier: MIT */
/* Pictures in memory, by stb_image: PNG, JPEG, BMP, GIF, TGA, PNM; and written, as PNG. This is the
   one way from a file's bytes to a picture of the shape that is asked for. */
#ifndef DL_IMAGE_IMAGE_H
#define DL_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "math/shape.h"

/* What becomes of a picture of another size. */
typedef enum {
    DL_IMAGE_STRETCH, /* each side by itself */
    DL_IMAGE_FIT,     /* as large as there is room for; black borders */
    DL_IMAGE_CROP,    /* no borders; what stands out at two sides is cut off */
    DL_IMAGE_EXACT    /* it is refused */
} dl_image_resize;

typedef struct {
    dl_shape shape; /* height, width, channels (1: grey, 3: colour) */
    dl_image_resize resize;
    bool labels; /* its values are class numbers: never mixed, and only of grey files of 8 bits */
} dl_image_form;

/* Does the name end like that of a picture? */
bool dl_image_is_named(const char *name);
/* What stb_image does not look at itself. What would do harm when it decodes the bytes, a constant,
   or NULL; */
const char *dl_image_danger(const void *bytes, int64_t count);
/* and whether the end of the file is there, as far as its format tells, if it is a picture. */
bool dl_image_is_whole(const void *bytes, int64_t count);
/* The size of the picture in bytes[count], as its header has it. 0, or -1 and what is wrong in
 *why, a constant. */
int dl_image_size(const void *bytes, int64_t count, int *height, int *width, const char **why);
/* out[size of form->shape] = the picture in bytes[count]. Any thread. 0, or -1 and what is wrong in
 *why, a constant. */
int dl_image_read(const void *bytes, int64_t count, const dl_image_form *form, unsigned char *out,
                  const char **why);
/* pixels[height][width][3] as a PNG file of *size bytes in memory, freed by the caller. */
unsigned char *dl_image_encode(const unsigned char *pixels, int height, int width, int *size);
/* Writes pixels[height][width][3] as a PNG file. 0, or -1 and an error. */
int dl_image_save(const char *path, const unsigned char *pixels, int height, int width,
                  dl_error *error);
/* Writes lines of ASCII (other signs become "?") in white letters, 12 pixels a line, into pixels of
   3 bytes, from the upper left corner of `pixels` on; `stride`: pixels from a row to the next. What
   is beyond height or width is cut off. */
void dl_image_write_text(const char *text, unsigned char *pixels, int height, int width,
                         int stride);

#endif
