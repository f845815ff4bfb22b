/* SPDX-License-Identifier: MIT */
#include "math/mask.h"

enum {
    LANES = 16,            /* Philox blocks that are computed side by side, as vectors */
    CHUNK = DL_MASK_CHUNK, /* elements that they serve, at 16 bits each: 8 LANES */
    SMALL = 1 << 13
};

/* Philox 4x32-10 on LANES blocks from `block` on: the same words as dl_random_words gives. */
static void random_lanes(const dl_draw *draw, uint32_t block, uint32_t words[4][LANES]) {
    uint32_t *c0 = words[0], *c1 = words[1], *c2 = words[2], *c3 = words[3];
    for (int l = 0; l < LANES; l++) {
        c0[l] = block + (uint32_t)l;
        c1[l] = draw->step;
        c2[l] = draw->epoch;
        c3[l] = (uint32_t)draw->purpose << 16 | draw->stream;
    }
    uint32_t k0 = (uint32_t)draw->seed, k1 = (uint32_t)(draw->seed >> 32);
    for (int round = 0; round < 10; round++) {
#pragma omp simd
        for (int l = 0; l < LANES; l++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[l], p1 = (uint64_t)0xCD9E8D57u * c2[l];
            uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1[l] ^ k0;
            uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3[l] ^ k1;
            c1[l] = (uint32_t)p1;
            c3[l] = (uint32_t)p0;
            c0[l] = n0;
            c2[l] = n2;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* Of 65536 numbers of 16 bits so many keep their element. */
static uint32_t kept_of(double rate) {
    uint32_t keep = (uint32_t)((1 - rate) * 65536 + 0.5);
    return keep < 1 ? 1 : keep;
}

/* The first `count` elements of chunk k. */
static void mask_chunk(const dl_draw *draw, uint32_t keep, int64_t k, int64_t count,
                       const float *from, float *to) {
    const float scale = 65536.0f / (float)keep;
    uint32_t words[4][LANES];
    float factor[CHUNK];
    random_lanes(draw, (uint32_t)(k * LANES), words);
    const uint32_t *flat = words[0];
    for (int i = 0; i < CHUNK / 2; i++) {
        factor[i] = (flat[i] & 0xFFFF) < keep ? scale : 0;
        factor[i + CHUNK / 2] = flat[i] >> 16 < keep ? scale : 0;
    }
    for (int64_t i = 0; i < count; i++)
        to[i] = from[i] * factor[i];
}

void dl_mask_random(const dl_draw *draw, double rate, int64_t count, const float *from, float *to) {
    uint32_t keep = kept_of(rate);
#pragma omp parallel for schedule(static) if (count >= SMALL)
    for (int64_t i = 0; i < count; i += CHUNK)
        mask_chunk(draw, keep, i / CHUNK, count - i < CHUNK ? count - i : CHUNK, from + i, to + i);
}

void dl_mask_random_part(const dl_draw *draw, double rate, int64_t first, int64_t count,
                         const float *from, float *to) {
    uint32_t keep = kept_of(rate);
    for (int64_t i = 0; i < count; i += CHUNK)
        mask_chunk(draw, keep, (first + i) / CHUNK, count - i < CHUNK ? count - i : CHUNK, from + i,
                   to + i);
}
