/* SPDX-License-Identifier: MIT */
/* Resampling of images by an affine map and a field of displacements. */
#ifndef DL_MATH_WARP_H
#define DL_MATH_WARP_H

#include <stdint.h>

/* Pixels beyond the edges: zeros, the nearest edge pixel, or the image mirrored at the centers of
   its edge pixels (dcb|abcd|cba). */
typedef enum { DL_BORDER_ZERO, DL_BORDER_EDGE, DL_BORDER_REFLECT } dl_border;
/* The names, in the order of the enum; NULL at the end. */
extern const char *const dl_border_names[];

/* The pixel at (x, y), measured from the center of the image to the right and down, is read at
   (map[0] x + map[1] y + map[2], map[3] x + map[4] y + map[5]), where the field, if any, is first
   added to x and y. */
typedef struct {
    int height, width;
    double map[6];
    const float *field; /* [2][height][width]: of x, then of y; or NULL */
    dl_border border;
} dl_warp;

/* from[height][width][channels] -> to, which is another image of that shape. Between pixels the
   value is interpolated (bilinear), or that of the nearest pixel. */
void dl_warp_bilinear(const dl_warp *warp, int channels, const float *from, float *to);
void dl_warp_nearest(const dl_warp *warp, int channels, const float *from, float *to);

/* x[height][width] in place: convolved with a Gaussian of that standard deviation in pixels,
   truncated at three of them, zeros beyond the edges; scratch[height][width]. */
void dl_blur(float *x, int height, int width, double sigma, float *scratch);

#endif
