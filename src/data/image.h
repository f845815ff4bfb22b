/* Pictures in memory, by stb_image: PNG, JPEG, BMP, GIF, TGA, PNM. */
#ifndef DL_DATA_IMAGE_H
#define DL_DATA_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Does the name end like that of a picture? */
bool dl_image_is_named(const char *name);
/* Decodes count bytes into height x width x channels (1: grey, 3: colour) bytes, to be freed with
   free; NULL if they are no picture that can be read, with what is wrong in *why. */
unsigned char *dl_image_decode(const void *bytes, int64_t count, int channels, int *height,
                               int *width, const char **why);

#endif
