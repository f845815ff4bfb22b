/* SPDX-License-Identifier: MIT */
/* Checks that an image file is complete and safe to decode. stb_image reads missing data as zeros
   or, in PNM and TGA, leaves memory uninitialized, without an error. */
#include <string.h>
#include <zlib.h>

#include "image/image.h"

/* stb_image writes past its Huffman table if the code counts add up to more than 256. `at`: offset
   of the segment length. */
static bool tables_are_valid(const unsigned char *b, int64_t count, int64_t at) {
    int64_t end = at + (at + 2 <= count ? b[at] << 8 | b[at + 1] : 0);
    for (at += 2; at < end;) {
        int codes = 0;
        for (int i = 1; i <= 16; i++)
            codes += at + i < count ? b[at + i] : 0;
        if (codes > 256)
            return false;
        at += 17 + codes;
    }
    return true;
}

typedef enum { COMPLETE, TRUNCATED, UNSAFE } status;

/* Walks the segments up to the first scan as stb_image does (a thumbnail is inside one). After that
   FF C4 is always a table and FF D9 the end. */
static status check_jpeg(const unsigned char *b, int64_t count) {
    bool scan = false;
    for (int64_t at = 2; at + 1 < count;) {
        const unsigned char *next = memchr(b + at, 0xff, (size_t)(count - 1 - at));
        if (!next)
            break;
        at = next - b + 1;
        int marker = b[at];
        if (marker == 0xff) /* FF may be repeated before a marker */
            continue;
        at++;
        if (scan && marker == 0xd9)
            return COMPLETE;
        if (marker == 0xc4 && !tables_are_valid(b, count, at))
            return UNSAFE;
        scan = scan || marker == 0xda;
        if (!scan && marker && at + 1 < count)
            at += b[at] << 8 | b[at + 1];
    }
    return TRUNCATED;
}

static int64_t little_endian(const unsigned char *b, int width) {
    int64_t value = 0;
    for (int i = width - 1; i >= 0; i--)
        value = value << 8 | b[i];
    return value;
}

static int64_t big_endian(const unsigned char *b) {
    return (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

/* Chunks: [length, 4][type, 4][data][CRC of type and data, 4]. */
bool dl_image_checksums_match(const void *bytes, int64_t count) {
    const unsigned char *b = bytes;
    if (count < 8 || memcmp(b, "\x89PNG", 4) != 0)
        return true;
    for (int64_t at = 8; at + 12 <= count;) {
        int64_t length = big_endian(b + at), end = at + 8 + length;
        if (end + 4 > count)
            break;
        if (crc32_z(0, b + at + 4, (size_t)length + 4) != (uLong)big_endian(b + end))
            return false;
        if (!memcmp(b + at + 4, "IEND", 4))
            break;
        at = end + 4;
    }
    return true;
}

static bool png_is_complete(const unsigned char *b, int64_t count) {
    for (int64_t at = 8; at + 8 <= count;) {
        int64_t length = (int64_t)b[at] << 24 | b[at + 1] << 16 | b[at + 2] << 8 | b[at + 3];
        if (!memcmp(b + at + 4, "IEND", 4))
            return true;
        at += 12 + length;
    }
    return false;
}

/* A GIF ends with a semicolon; some programs append zeros. */
static bool gif_is_complete(const unsigned char *b, int64_t count) {
    while (count > 0 && !b[count - 1])
        count--;
    return count > 0 && b[count - 1] == ';';
}

static bool bmp_is_complete(const unsigned char *b, int64_t count) {
    if (count < 30)
        return false;
    bool old = little_endian(b + 14, 4) == 12;
    int64_t width = old ? little_endian(b + 18, 2) : (int32_t)little_endian(b + 18, 4);
    int64_t height = old ? little_endian(b + 20, 2) : (int32_t)little_endian(b + 22, 4);
    int64_t row = (width * little_endian(b + (old ? 24 : 28), 2) + 31) / 32 * 4;
    height = height < 0 ? -height : height; /* top-down */
    return width > 0 && row <= (count - little_endian(b + 10, 4)) / (height ? height : 1);
}

/* Types 9 to 11 are compressed: their length is unknown. */
static bool tga_is_complete(const unsigned char *b, int64_t count) {
    if (count < 18 || b[2] > 3)
        return count >= 18;
    int64_t head = 18 + b[0] + (b[1] ? little_endian(b + 5, 2) * ((b[7] + 7) / 8) : 0);
    return head + little_endian(b + 12, 2) * little_endian(b + 14, 2) * ((b[16] + 7) / 8) <= count;
}

/* Width, height and maximum value, separated by white space and comments; returns the offset of
   their end. Larger numbers saturate above MAX_VALUE. */
enum { MAX_VALUE = 1 << 20 };
static int64_t pnm_header(const unsigned char *b, int64_t count, int64_t number[3]) {
    int64_t at = 2;
    for (int k = 0; k < 3; k++) {
        while (at < count && (b[at] == '#' || memchr(" \t\n\v\f\r", b[at], 6))) {
            bool comment = b[at++] == '#';
            while (comment && at < count && b[at] != '\n' && b[at] != '\r')
                at++;
        }
        for (number[k] = 0; at < count && b[at] >= '0' && b[at] <= '9'; at++)
            number[k] = number[k] < MAX_VALUE ? 10 * number[k] + b[at] - '0' : number[k];
    }
    return at;
}

/* One white-space byte follows the header. */
static bool pnm_is_complete(const unsigned char *b, int64_t count) {
    int64_t number[3], at = pnm_header(b, count, number);
    int64_t pixel = (b[1] == '6' ? 3 : 1) * (number[2] > 255 ? 2 : 1);
    return at + 1 + number[0] * number[1] * pixel <= count;
}

static bool is_pnm(const unsigned char *b) {
    return b[0] == 'P' && (b[1] == '5' || b[1] == '6');
}

static bool is_jpeg(const unsigned char *b) {
    return b[0] == 0xff && b[1] >= 0xd8;
}

const char *dl_image_hazard(const void *bytes, int64_t count) {
    int64_t number[3];
    if (count >= 2 && is_jpeg(bytes) && check_jpeg(bytes, count) == UNSAFE)
        return "a Huffman table of more than 256 codes";
    if (count < 2 || !is_pnm(bytes))
        return NULL;
    pnm_header(bytes, count, number);
    for (int k = 0; k < 3; k++)
        if (number[k] > MAX_VALUE)
            return "a number in its header is too large";
    return NULL;
}

bool dl_image_is_complete(const void *bytes, int64_t count) {
    const unsigned char *b = bytes;
    if (count < 8)
        return false;
    if (is_jpeg(b))
        return check_jpeg(b, count) == COMPLETE;
    if (!memcmp(b, "\x89PNG", 4))
        return png_is_complete(b, count);
    if (!memcmp(b, "GIF8", 4))
        return gif_is_complete(b, count);
    if (!memcmp(b, "BM", 2))
        return bmp_is_complete(b, count);
    if (is_pnm(b))
        return pnm_is_complete(b, count);
    return tga_is_complete(b, count);
}
