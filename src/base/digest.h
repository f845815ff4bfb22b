/* SPDX-License-Identifier: MIT */
/* MurmurHash3_x64_128 (Austin Appleby, public domain): identifies contents; fast, not
   cryptographic. */
#ifndef DL_BASE_DIGEST_H
#define DL_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t half[2];
} dl_digest;

dl_digest dl_digest_of(const void *bytes, size_t count, uint32_t seed);
/* Extends *all, initially all zero, by the digest of bytes[count]. */
void dl_digest_add(dl_digest *all, const void *bytes, size_t count);
bool dl_digest_equal(dl_digest a, dl_digest b);

#endif
