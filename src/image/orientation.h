/* SPDX-License-Identifier: MIT */
/* The orientation that a camera writes into a JPEG (EXIF 2.3, tag 0x0112). */
#ifndef DL_IMAGE_ORIENTATION_H
#define DL_IMAGE_ORIENTATION_H

#include <stdbool.h>
#include <stdint.h>

/* 1 to 8 of the file bytes[count]; 1, as it is, if nothing valid is said. */
int dl_orientation_of(const void *bytes, int64_t count);
/* Whether height and width change places. */
bool dl_orientation_swaps(int orientation);
/* in[height][width][channels] turned upright: out[width][height][channels] if the sides swap, else
   of the same shape. */
void dl_orientation_apply(int orientation, const unsigned char *in, int height, int width,
                          int channels, unsigned char *out);

#endif
