/* SPDX-License-Identifier: MIT */
#include "image/orientation.h"

#include <string.h>

enum { TAG = 0x0112, SHORT = 3, ENTRY = 12 };

/* A TIFF structure of `count` bytes, in either order of bytes. */
typedef struct {
    const unsigned char *bytes;
    int64_t count;
    bool big;
} tiff;

static uint32_t number(const tiff *t, int64_t at, int width) {
    uint32_t value = 0;
    for (int i = 0; i < width; i++)
        value = value << 8 | t->bytes[at + (t->big ? i : width - 1 - i)];
    return value;
}

/* The tag of the first directory. */
static int orientation_in(tiff t) {
    if (t.count < 8 || (memcmp(t.bytes, "II*\0", 4) && memcmp(t.bytes, "MM\0*", 4)))
        return 1;
    t.big = t.bytes[0] == 'M';
    int64_t at = number(&t, 4, 4);
    if (at > t.count - 2)
        return 1;
    int entries = (int)number(&t, at, 2);
    for (at += 2; entries-- && at <= t.count - ENTRY; at += ENTRY)
        if (number(&t, at, 2) == TAG && number(&t, at + 2, 2) == SHORT) {
            uint32_t value = number(&t, at + 8, 2);
            return value >= 1 && value <= 8 ? (int)value : 1;
        }
    return 1;
}

/* Segments: 0xff, a marker, a length of two bytes that counts itself; the first scan ends them. */
int dl_orientation_of(const void *bytes, int64_t count) {
    const unsigned char *b = bytes;
    if (count < 4 || b[0] != 0xff || b[1] != 0xd8)
        return 1;
    for (int64_t at = 2; at + 4 <= count && b[at] == 0xff && b[at + 1] != 0xda;) {
        int64_t length = b[at + 2] << 8 | b[at + 3];
        if (b[at + 1] == 0xff) { /* a byte that fills */
            at++;
            continue;
        }
        if (length < 2 || at + 2 + length > count)
            break;
        if (b[at + 1] == 0xe1 && length >= 8 && !memcmp(b + at + 4, "Exif\0", 6))
            return orientation_in((tiff){b + at + 10, length - 8, false});
        at += 2 + length;
    }
    return 1;
}

bool dl_orientation_swaps(int orientation) {
    return orientation >= 5;
}

void dl_orientation_apply(int orientation, const unsigned char *in, int height, int width,
                          int channels, unsigned char *out) {
    /* by orientation: whether rows and columns swap, and then which of them run backwards */
    bool swap = dl_orientation_swaps(orientation);
    bool down = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    bool left = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    int rows = swap ? width : height, columns = swap ? height : width;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            int row = down ? rows - 1 - i : i, column = left ? columns - 1 - j : j;
            int64_t from = swap ? (int64_t)column * width + row : (int64_t)row * width + column;
            memcpy(out, in + from * channels, (size_t)channels);
            out += channels;
        }
}
