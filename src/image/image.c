/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "image/orientation.h"
#include "image/stb_image.h"
#include "image/stb_image_write.h"

#ifndef DL_IMAGE_MAX_PIXELS /* fuzzing has less time and memory */
#define DL_IMAGE_MAX_PIXELS (1 << 27)
#endif
enum { MAX_PIXELS = DL_IMAGE_MAX_PIXELS };

bool dl_image_is_named(const char *name) {
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".bmp", ".gif",
                                          ".tga", ".ppm", ".pgm",  ".pnm"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t suffix_length = strlen(endings[i]);
        if (length > suffix_length && !strcasecmp(name + length - suffix_length, endings[i]))
            return true;
    }
    return false;
}

static int refuse(const char *reason, const char **why) {
    *why = reason ? reason : "not an image";
    return -1;
}

static int read_header(const void *bytes, int64_t count, int *height, int *width, int *channels,
                       const char **why) {
    if (count > INT_MAX)
        return refuse("too large", why);
    const char *danger = dl_image_hazard(bytes, count);
    if (danger)
        return refuse(danger, why);
    if (!stbi_info_from_memory(bytes, (int)count, width, height, channels))
        return refuse(stbi_failure_reason(), why);
    if (((const char *)bytes)[0] == 'P' && stbi_is_16_bit_from_memory(bytes, (int)count))
        return refuse("a 16-bit PNM", why); /* stb_image reads past its end */
    if (*height < 0 && *height > INT_MIN)   /* a top-down BMP */
        *height = -*height;
    if (*height < 1 || *width < 1)
        return refuse("no pixels", why);
    if ((int64_t)*height * *width > MAX_PIXELS)
        return refuse("too many pixels", why);
    return 0;
}

int dl_image_size(const void *bytes, int64_t count, int *height, int *width, const char **why) {
    int channels;
    if (read_header(bytes, count, height, width, &channels, why))
        return -1;
    if (dl_orientation_swaps(dl_orientation_of(bytes, count))) {
        int side = *height;
        *height = *width;
        *width = side;
    }
    return 0;
}

typedef struct {
    int top, left, height, width;
} region;

/* a * b / c, rounded and clamped to [1, max]. */
static int scaled(int a, int b, int c, int max) {
    int64_t value = (2 * (int64_t)a * b + c) / (2 * (int64_t)c);
    return value < 1 ? 1 : value > max ? max : (int)value;
}

/* The largest centered region of `all` with the aspect ratio of `like`. */
static region inscribe(region all, region like) {
    region in = all;
    if ((int64_t)like.width * all.height < (int64_t)all.width * like.height)
        in.width = scaled(all.height, like.width, like.height, all.width);
    else
        in.height = scaled(all.width, like.height, like.width, all.height);
    in.top = (all.height - in.height) / 2;
    in.left = (all.width - in.width) / 2;
    return in;
}

/* Nearest neighbor, between pixel centers. */

static void copy_nearest(const unsigned char *in, int in_width, region from, unsigned char *out,
                         int out_width, region to, int channels) {
    for (int i = 0; i < to.height; i++) {
        int row = from.top + (int)((2 * (int64_t)i + 1) * from.height / (2 * (int64_t)to.height));
        for (int j = 0; j < to.width; j++) {
            int column =
                from.left + (int)((2 * (int64_t)j + 1) * from.width / (2 * (int64_t)to.width));
            memcpy(out + ((int64_t)(to.top + i) * out_width + to.left + j) * channels,
                   in + ((int64_t)row * in_width + column) * channels, (size_t)channels);
        }
    }
}

/* Catmull-Rom cubic: unlike stb_image_resize's default it leaves a side of unchanged size exact,
   and its triangle filter fails an assertion at many ratios. */
static int resample(const unsigned char *in, int in_width, region from, unsigned char *out,
                    int out_width, region to, int channels) {
    in += ((int64_t)from.top * in_width + from.left) * channels;
    out += ((int64_t)to.top * out_width + to.left) * channels;
    return stbir_resize_uint8_generic(in, from.width, from.height, in_width * channels, out,
                                      to.width, to.height, out_width * channels, channels,
                                      STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP,
                                      STBIR_FILTER_CATMULLROM, STBIR_COLORSPACE_LINEAR, NULL)
               ? 0
               : -1;
}

int dl_image_fit(const unsigned char *in, int height, int width, const dl_image_form *form,
                 unsigned char *out) {
    int channels = form->shape.dim[2];
    region from = {0, 0, height, width}, to = {0, 0, form->shape.dim[0], form->shape.dim[1]};
    int out_width = to.width;
    if (height == to.height && width == to.width) {
        memcpy(out, in, (size_t)dl_shape_size(form->shape));
        return 0;
    }
    if (form->resize == DL_IMAGE_FIT) {
        memset(out, 0, (size_t)dl_shape_size(form->shape));
        to = inscribe(to, from);
    } else if (form->resize == DL_IMAGE_CROP) {
        from = inscribe(from, to);
    }
    if (!form->labels && (from.height != to.height || from.width != to.width))
        return resample(in, width, from, out, out_width, to, channels);
    copy_nearest(in, width, from, out, out_width, to, channels);
    return 0;
}

/* The image upright, in the place of `image`. */
static unsigned char *turn(unsigned char *image, int orientation, int *height, int *width,
                           int channels) {
    unsigned char *upright = xmalloc((size_t)*height * (size_t)*width * (size_t)channels);
    dl_orientation_apply(orientation, image, *height, *width, channels, upright);
    free(image);
    if (dl_orientation_swaps(orientation)) {
        int side = *height;
        *height = *width;
        *width = side;
    }
    return upright;
}

int dl_image_read(const void *bytes, int64_t count, const dl_image_form *form, unsigned char *out,
                  const char **why) {
    int height, width, found, own_height, own_width;
    if (read_header(bytes, count, &height, &width, &found, why))
        return -1;
    int orientation = dl_orientation_of(bytes, count);
    bool swaps = dl_orientation_swaps(orientation);
    if (form->resize == DL_IMAGE_EXACT && ((swaps ? width : height) != form->shape.dim[0] ||
                                           (swaps ? height : width) != form->shape.dim[1]))
        return refuse("another size", why);
    if (form->labels && (found > 2 || stbi_is_16_bit_from_memory(bytes, (int)count)))
        return refuse("not 8-bit gray, so its values are not class numbers", why);
    if (!dl_image_is_complete(bytes, count))
        return refuse("cut short", why);
    unsigned char *image = stbi_load_from_memory(bytes, (int)count, &own_width, &own_height, &found,
                                                 form->shape.dim[2]);
    if (!image)
        return refuse(stbi_failure_reason(), why);
    int result = 0;
    if (own_height != height || own_width != width)
        result = refuse("its sizes contradict each other", why);
    else if (orientation != 1)
        image = turn(image, orientation, &height, &width, form->shape.dim[2]);
    if (!result && dl_image_fit(image, height, width, form, out))
        result = refuse("cannot be resized", why);
    free(image);
    return result;
}

unsigned char *dl_image_encode(const unsigned char *pixels, int height, int width, int channels,
                               int *size) {
    unsigned char *bytes = dl_stb_png(pixels, height, width, channels, size);
    if (!bytes)
        dl_out_of_memory((size_t)height * (size_t)width * 3);
    return bytes;
}

int dl_image_save(const char *path, const unsigned char *pixels, int height, int width,
                  dl_error *error) {
    int count = 0;
    unsigned char *bytes = dl_stb_png(pixels, height, width, 3, &count);
    if (!bytes)
        return dl_fail(error, DL_FAILURE,
                       "%s: an image of %dx%d is too large for a PNG file or the memory", path,
                       height, width);
    int result = dl_output_write(path, bytes, (size_t)count, error);
    free(bytes);
    return result;
}

static int clipped(float value, int max) {
    return value < 0 ? 0 : value > (float)max ? max : (int)value;
}

void dl_image_write_text(const char *text, unsigned char *pixels, int height, int width,
                         int stride) {
    enum { LONGEST = 127, RECTANGLES = 16 * LONGEST };
    char plain[LONGEST + 1];
    size_t length = 0;
    for (; text[length] && length < LONGEST; length++) {
        bool known = text[length] == '\n' || (text[length] >= ' ' && text[length] <= '~');
        plain[length] = (char)(known ? text[length] : '?');
    }
    plain[length] = '\0';
    dl_stb_corner *corners = xmalloc(sizeof *corners * 4 * RECTANGLES);
    int count = dl_stb_text(plain, corners, RECTANGLES);
    for (const dl_stb_corner *c = corners; c < corners + 4 * (int64_t)count; c += 4)
        for (int row = clipped(c[0].y, height); row < clipped(c[2].y, height); row++) {
            int from = clipped(c[0].x, width), to = clipped(c[2].x, width);
            if (to > from)
                memset(pixels + ((int64_t)row * stride + from) * 3, 255, (size_t)(to - from) * 3);
        }
    free(corners);
}
