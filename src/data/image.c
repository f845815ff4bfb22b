#include "data/image.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "data/stb_image.h"

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
