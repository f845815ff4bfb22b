/* Pictures in memory, by stb_image: PNG, JPEG, BMP, GIF, TGA, PNM; and written, as PNG. */
#ifndef DL_DATA_IMAGE_H
#define DL_DATA_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Does the name end like that of a picture? */
bool dl_image_is_named(const char *name);
/* Decodes count bytes into height x width x channels (1: grey, 3: colour) bytes, to be freed with
   free; NULL if they are no picture that can be read, with what is wrong in *why. */
unsigned char *dl_image_decode(const void *bytes, int64_t count, int channels, int *height,
                               int *width, const char **why);
/* Writes pixels[height][width][3] as a PNG file. 0, or -1 and an error. */
int dl_image_save(const char *path, const unsigned char *pixels, int height, int width,
                  dl_error *error);
/* Writes lines of ASCII (other signs become "?") in white letters, 12 pixels a line, into pixels of
   3 bytes, from the upper left corner of `pixels` on; `stride`: pixels from a row to the next. What
   is beyond height or width is cut off. */
void dl_image_write_text(const char *text, unsigned char *pixels, int height, int width,
                         int stride);

#endif
