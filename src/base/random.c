/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

void dl_random_words(const dl_draw *draw, uint32_t block, uint32_t words[4]) {
    uint32_t c0 = block, c1 = draw->step, c2 = draw->epoch;
    uint32_t c3 = (uint32_t)draw->purpose << 16 | draw->stream;
    uint32_t k0 = (uint32_t)draw->seed, k1 = (uint32_t)(draw->seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

void dl_random_uniform(const dl_draw *draw, int64_t first, int64_t count, float *out) {
    for (int64_t i = 0; i < count; i += 4) {
        uint32_t words[4];
        dl_random_words(draw, (uint32_t)((first + i) / 4), words);
        for (int64_t j = 0; j < 4 && i + j < count; j++)
            out[i + j] = (float)(words[j] >> 8) * 0x1p-24f;
    }
}

void dl_random_normal(const dl_draw *draw, int64_t first, int64_t count, float *out) {
    for (int64_t i = 0; i < count; i += 4) {
        uint32_t words[4];
        double pair[4];
        dl_random_words(draw, (uint32_t)((first + i) / 4), words);
        for (int j = 0; j < 4; j += 2) { /* u is in (0, 1]: the logarithm is finite */
            double u = ((double)words[j] + 1) * 0x1p-32, v = (double)words[j + 1] * 0x1p-32;
            double radius = sqrt(-2 * log(u)), angle = 2 * PI * v;
            pair[j] = radius * cos(angle);
            pair[j + 1] = radius * sin(angle);
        }
        for (int64_t j = 0; j < 4 && i + j < count; j++)
            out[i + j] = (float)pair[j];
    }
}

void dl_random_shuffle(const dl_draw *draw, int64_t *order, int64_t count) {
    uint32_t words[4] = {0};
    for (int64_t i = count - 1, k = 0; i > 0; i--, k++) {
        if (k % 4 == 0)
            dl_random_words(draw, (uint32_t)(k / 4), words);
        int64_t j = (int64_t)(((uint64_t)words[k % 4] * (uint64_t)(i + 1)) >> 32);
        int64_t swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
}
