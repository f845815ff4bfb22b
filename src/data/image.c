#include "data/image.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/stb_image.h"
#include "data/stb_image_write.h"

bool dl_image_is_named(const char *name) {
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".bmp", ".gif",
                                          ".tga", ".ppm", ".pgm",  ".pnm"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t own = strlen(endings[i]);
        if (length > own && !strcasecmp(name + length - own, endings[i]))
            return true;
    }
    return false;
}

unsigned char *dl_image_decode(const void *bytes, int64_t count, int channels, int *height,
                               int *width, const char **why) {
    int found;
    if (count > INT_MAX) {
        *why = "too large";
        return NULL;
    }
    unsigned char *image =
        stbi_load_from_memory(bytes, (int)count, width, height, &found, channels);
    if (!image)
        *why = stbi_failure_reason();
    return image;
}

int dl_image_save(const char *path, const unsigned char *pixels, int height, int width,
                  dl_error *error) {
    int count = 0;
    unsigned char *bytes = dl_stb_png(pixels, height, width, &count);
    if (!bytes)
        return dl_fail(error, DL_FAILURE, "%s: no memory for a picture of %dx%d", path, height,
                       width);
    int result = dl_file_write(path, bytes, (size_t)count, error);
    free(bytes);
    return result;
}

static int clipped(float value, int most) {
    return value < 0 ? 0 : value > (float)most ? most : (int)value;
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
    dl_stb_corner *corner = xmalloc(sizeof *corner * 4 * RECTANGLES);
    int count = dl_stb_text(plain, corner, RECTANGLES);
    for (const dl_stb_corner *c = corner; c < corner + 4 * (int64_t)count; c += 4)
        for (int row = clipped(c[0].y, height); row < clipped(c[2].y, height); row++) {
            int from = clipped(c[0].x, width), to = clipped(c[2].x, width);
            if (to > from)
                memset(pixels + ((int64_t)row * stride + from) * 3, 255, (size_t)(to - from) * 3);
        }
    free(corner);
}
