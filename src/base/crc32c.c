/* SPDX-License-Identifier: MIT */
/* Reflected polynomial 0x82F63B78 (0x1EDC6F41), one byte at a time by a table. */
#include "base/crc32c.h"

uint32_t dl_crc32c(const void *bytes, size_t count) {
    uint32_t table[256], crc = 0xFFFFFFFF;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t r = byte;
        for (int bit = 0; bit < 8; bit++)
            r = r >> 1 ^ (r & 1 ? 0x82F63B78 : 0);
        table[byte] = r;
    }
    for (const unsigned char *byte = bytes, *end = byte + count; byte < end; byte++)
        crc = crc >> 8 ^ table[(crc ^ *byte) & 255];
    return ~crc;
}
