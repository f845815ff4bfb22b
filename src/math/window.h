/* SPDX-License-Identifier: MIT */
/* The geometry of a window that slides over an image: convolution and pooling. */
#ifndef DL_MATH_WINDOW_H
#define DL_MATH_WINDOW_H

#include "base/error.h"
#include "math/shape.h"

/* `padding` as an option reads it: a number of pixels, or one of these words. */
enum { DL_PAD_SAME = -1, DL_PAD_VALID = -2 };
extern const char *const dl_padding_words[]; /* "same", "valid", NULL */

typedef struct {
    int height, width, channels; /* of the input */
    int kernel[2], stride[2];    /* height, width */
    int dilation[2];             /* pixels from one tap to the next; 1: neighbours */
    int before[2];               /* pixels of padding above and to the left */
    int out_height, out_width;
} dl_window;

/* Places a window on `input`. "same" gives ceil(input / stride) outputs, with the odd pixel of
   padding below and to the right; a number pads that much on all sides; windows that would extend
   beyond the padding are left out. -1 and an error that begins with `where` if it does not fit. */
int dl_window_place(dl_window *window, dl_shape input, const int64_t kernel[2],
                    const int64_t stride[2], const int64_t padding[2], const char *where,
                    dl_error *error);

/* The same, but the last window along an axis may go over the edge of the padded image, as long as
   it begins inside the image or the padding before it (PyTorch's ceil_mode); "same" has that
   anyway. */
int dl_window_place_over(dl_window *window, dl_shape input, const int64_t kernel[2],
                         const int64_t stride[2], const int64_t padding[2], const char *where,
                         dl_error *error);

/* As dl_window_place, with taps that are `dilation` pixels apart. */
int dl_window_place_dilated(dl_window *window, dl_shape input, const int64_t kernel[2],
                            const int64_t stride[2], const int64_t dilation[2],
                            const int64_t padding[2], const char *where, dl_error *error);
/* Pixels from a window's first tap to its last, both included, along an axis. */
static inline int dl_window_extent(const dl_window *window, int axis) {
    return (window->kernel[axis] - 1) * window->dilation[axis] + 1;
}

#endif
