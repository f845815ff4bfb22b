/* SPDX-License-Identifier: MIT */
/* The inner loops of the direct convolution: sums that stay in registers. Private to
   src/math/direct*.c and packed.c. */
#ifndef DL_MATH_DIRECT_KERNEL_H
#define DL_MATH_DIRECT_KERNEL_H

#include <stdint.h>

/* As many floats as a vector register holds, and how many vectors of sums fit beside what they are
   made from. */
#if defined __AVX512F__
enum { LANES = 16, MOST_SUMS = 28 };
#elif defined __AVX__
enum { LANES = 8, MOST_SUMS = 12 };
#else
enum { LANES = 4, MOST_SUMS = 12 };
#endif

/* Channels are worked on in strips of one or two vectors; a strip's weights are packed one tap
   after the other, zero where there is no channel. */
enum { STRIP_VECTORS = 2, MOST_PIXELS = 14 };

/* Sums over the taps of a window at some adjacent pixels, for a strip of output channels. */
typedef struct {
    int rows, run;    /* of the window; a row's taps, run = kernel width x channels, are adjacent */
    int64_t x_row;    /* floats from one row of x to the next */
    int64_t x_step;   /* floats from one window to the next */
    int64_t out_step; /* floats from one output pixel to the next */
} direct_window;

/* out[pixel][strip] = bias[strip] + sum over rows and run of x · weight[row][run][strip].
   `vectors` is 1 or 2; pixels at most direct_most_pixels(vectors). Whole vectors are stored. */
void direct_sum_taps(const direct_window *window, int pixels, int vectors, const float *x,
                     const float *weight, const float *bias, float *out);
int direct_most_pixels(int vectors);

/* The same at two lines of pixels at once, for a strip of one vector: the windows of the second
   line are one row of x below, out_line floats further. What both lines read is read once; it is
   the loads that limit a strip of one vector. pixels at most direct_most_pixels(2). */
void direct_sum_taps_pair(const direct_window *window, int pixels, const float *x,
                          const float *weight, const float *bias, float *out, int64_t out_line);

/* The sums of x · dz over all the windows of an image, for a strip of dz's channels. */
typedef struct {
    int height, width;             /* windows */
    int64_t x_row, x_line, x_step; /* floats: between the rows of a window, between the windows of
                                      adjacent lines, and of adjacent pixels */
    int64_t z_line, z_step;        /* between lines and pixels of dz */
} direct_image;

/* sums[rows][run][strip] += …, where x points to the first tap and dz to the strip's first channel
   of the first window. Whole vectors of dz are read. */
void direct_sum_windows(const direct_image *image, int rows, int run, int vectors, const float *x,
                        const float *dz, float *sums);

#endif
