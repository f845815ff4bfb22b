/* SPDX-License-Identifier: MIT */
/* Compiles stb_image_write and stb_easy_font without warnings. */
#include "image/stb_image_write.h"

#include <stdint.h>

#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wconversion"
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_easy_font.h>
#include <stb/stb_image_write.h>

unsigned char *dl_stb_png(const unsigned char *pixels, int height, int width, int channels,
                          int *bytes) {
    /* stb counts bytes in int, and doubles the buffer of the compressed ones */
    if (((int64_t)channels * width + 1) * height > INT32_MAX / 3)
        return NULL;
    return stbi_write_png_to_mem(pixels, channels * width, width, height, channels, bytes);
}

int dl_stb_text(const char *text, dl_stb_corner *corners, int max) {
    unsigned char color[4] = {0};
    return stb_easy_font_print(0, 0, (char *)text, color, corners, max * 4 * (int)sizeof *corners);
}
