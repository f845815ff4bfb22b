/* SPDX-License-Identifier: MIT */
/* Blocks of 16 bytes, as two words k_1, k_2 of 64 bits, are mixed into two halves h_1, h_2:

     h_1 ^= rotate(k_1 c_1, 31) c_2;  h_1 = 5 (rotate(h_1, 27) + h_2) + 0x52dce729
     h_2 ^= rotate(k_2 c_2, 33) c_1;  h_2 = 5 (rotate(h_2, 31) + h_1) + 0x38495ab5

   then the remaining bytes, the count, and a final mix of each half. Words are in machine byte
   order. */
#include "base/digest.h"

#include <string.h>

static const uint64_t C1 = 0x87c37b91114253d5, C2 = 0x4cf5ad432745937f;

static uint64_t rotate(uint64_t word, int by) {
    return word << by | word >> (64 - by);
}

static uint64_t mix(uint64_t h) {
    h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
    return h ^ h >> 33;
}

dl_digest dl_digest_of(const void *bytes, size_t count, uint32_t seed) {
    const unsigned char *block = bytes, *end = block + count / 16 * 16;
    uint64_t h1 = seed, h2 = seed, k[2];
    for (; block < end; block += 16) {
        memcpy(k, block, 16);
        h1 = 5 * (rotate(h1 ^ rotate(k[0] * C1, 31) * C2, 27) + h2) + 0x52dce729;
        h2 = 5 * (rotate(h2 ^ rotate(k[1] * C2, 33) * C1, 31) + h1) + 0x38495ab5;
    }
    if (count % 16) {
        memset(k, 0, 16);
        memcpy(k, block, count % 16);
        h1 ^= rotate(k[0] * C1, 31) * C2;
        h2 ^= rotate(k[1] * C2, 33) * C1;
    }
    h1 ^= count;
    h2 ^= count;
    h1 += h2;
    h2 += h1;
    h1 = mix(h1);
    h2 = mix(h2);
    h1 += h2;
    return (dl_digest){{h1, h2 + h1}};
}

void dl_digest_add(dl_digest *all, const void *bytes, size_t count) {
    dl_digest two[2] = {*all, dl_digest_of(bytes, count, 0)};
    *all = dl_digest_of(two, sizeof two, 0);
}

bool dl_digest_equal(dl_digest a, dl_digest b) {
    return a.half[0] == b.half[0] && a.half[1] == b.half[1];
}
