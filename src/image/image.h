/* SPDX-License-Identifier: MIT */
/* Decoding of PNG, JPEG, BMP, GIF, TGA and PNM images to a requested shape, and encoding of PNG, by
   stb_image. */
#ifndef DL_IMAGE_IMAGE_H
#define DL_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "math/shape.h"

/* What happens to an image of another size. */
typedef enum {
    DL_IMAGE_STRETCH, /* both sides, independently */
    DL_IMAGE_FIT,     /* keeps the aspect ratio; black borders */
    DL_IMAGE_CROP,    /* keeps the aspect ratio; crops the center */
    DL_IMAGE_EXACT    /* is an error */
} dl_image_resize;

typedef struct {
    dl_shape shape; /* height, width, channels (1: gray, 3: color) */
    dl_image_resize resize;
    bool labels; /* values are class numbers: never interpolated; 8-bit gray files only */
} dl_image_form;

/* Whether the name has the extension of an image file. */
bool dl_image_is_named(const char *name);
/* What makes bytes[count] unsafe for stb_image to decode, a constant; NULL: nothing. */
const char *dl_image_hazard(const void *bytes, int64_t count);
/* Whether an image file is complete, as far as its format shows: stb_image fills in zeros for
   missing data. */
bool dl_image_is_complete(const void *bytes, int64_t count);
/* Whether the chunks of a PNG have the right CRC-32, which stb_image does not check; true for other
   formats. */
bool dl_image_checksums_match(const void *bytes, int64_t count);
/* The size of the image in bytes[count], from its header, as it is shown (EXIF orientation). 0, or
   -1 and the reason in *why, a constant. */
int dl_image_size(const void *bytes, int64_t count, int *height, int *width, const char **why);
/* Decodes bytes[count] into out[form->shape]. Thread-safe. 0, or -1 and the reason in *why, a
   constant. */
int dl_image_read(const void *bytes, int64_t count, const dl_image_form *form, unsigned char *out,
                  const char **why);
/* Resizes in[height][width][channels of the form] to out[form->shape]; DL_IMAGE_EXACT is as
   DL_IMAGE_STRETCH. Thread-safe. -1: memory ran out. */
int dl_image_fit(const unsigned char *in, int height, int width, const dl_image_form *form,
                 unsigned char *out);
/* Encodes pixels[height][width][channels] (1: gray, 3: color) as a PNG of *size bytes, freed by the
   caller. */
unsigned char *dl_image_encode(const unsigned char *pixels, int height, int width, int channels,
                               int *size);
/* Writes pixels[height][width][3] to a PNG file. 0, or -1 and an error. */
int dl_image_save(const char *path, const unsigned char *pixels, int height, int width,
                  dl_error *error);
/* Draws lines of ASCII text (other characters become "?") in white, 12 pixels per line, at the
   upper left corner of RGB `pixels`, clipped to height and width; `stride`: pixels per row. */
void dl_image_write_text(const char *text, unsigned char *pixels, int height, int width,
                         int stride);

#endif
