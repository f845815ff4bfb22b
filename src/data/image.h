/* Pictures in memory, by stb_image: PNG, JPEG, BMP, GIF, TGA, PNM. This is the one way from a
   file's bytes to a picture of the shape that is asked for. */
#ifndef DL_DATA_IMAGE_H
#define DL_DATA_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

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
/* What stb_image does not look at itself. Whether it can decode the bytes without harm; */
bool dl_image_is_safe(const void *bytes, int64_t count);
/* and whether the end of the file is there, as far as its format tells, if it is a picture. */
bool dl_image_is_whole(const void *bytes, int64_t count);
/* The size of the picture in bytes[count], as its header has it. 0, or -1 and what is wrong in
 *why, a constant. */
int dl_image_size(const void *bytes, int64_t count, int *height, int *width, const char **why);
/* out[size of form->shape] = the picture in bytes[count]. Any thread. 0, or -1 and what is wrong in
 *why, a constant. */
int dl_image_read(const void *bytes, int64_t count, const dl_image_form *form, unsigned char *out,
                  const char **why);

#endif
