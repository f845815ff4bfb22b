/* SPDX-License-Identifier: MIT */
/* A digest of bytes, by which equal contents are known: MurmurHash3_x64_128 (Austin Appleby, public
   domain). It is fast, and chance does not make two contents equal; a forger could, so that it
   protects nothing. */
#ifndef DL_BASE_DIGEST_H
#define DL_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t half[2];
} dl_digest;

dl_digest dl_digest_of(const void *bytes, size_t count, uint32_t seed);
/* *all becomes that of what was digested in it so far, and of the bytes. All zero: of nothing. */
void dl_digest_add(dl_digest *all, const void *bytes, size_t count);
bool dl_digest_equal(dl_digest a, dl_digest b);

#endif
