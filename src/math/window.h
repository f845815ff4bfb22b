/* SPDX-License-Identifier: MIT */
/* Geometry of the sliding windows of convolution and pooling. */
#ifndef DL_MATH_WINDOW_H
#define DL_MATH_WINDOW_H

#include "base/error.h"
#include "math/shape.h"

/* Values of an option `padding`: pixels, or one of these words. */
enum { DL_PAD_SAME = -1, DL_PAD_VALID = -2 };
extern const char *const dl_padding_words[]; /* "same", "valid", NULL */

typedef struct {
    int height, width, channels; /* of the input */
    int kernel[2], stride[2];    /* height, width */
    int dilation[2];             /* pixels between kernel elements; 1: adjacent */
    int before[2];               /* pixels of padding above and to the left */
    int out_height, out_width;
} dl_window;

/* Sets a window on `input`. "same" gives ceil(input / stride) outputs, with an odd pixel of padding
   at the bottom and right; a number pads all sides; windows that extend beyond the padding are
   dropped. -1 and an error that begins with `where` if the window is too large. */
int dl_window_set(dl_window *window, dl_shape input, const int64_t kernel[2],
                  const int64_t stride[2], const int64_t padding[2], const char *where,
                  dl_error *error);

/* The same, but the last window along an axis may extend beyond the padded image if it starts in
   the image or the leading padding (PyTorch's ceil_mode), as with "same". */
int dl_window_set_ceil(dl_window *window, dl_shape input, const int64_t kernel[2],
                       const int64_t stride[2], const int64_t padding[2], const char *where,
                       dl_error *error);

/* As dl_window_set, with `dilation` pixels between kernel elements. */
int dl_window_set_dilated(dl_window *window, dl_shape input, const int64_t kernel[2],
                          const int64_t stride[2], const int64_t dilation[2],
                          const int64_t padding[2], const char *where, dl_error *error);
/* Pixels covered by a window along an axis. */
static inline int dl_window_extent(const dl_window *window, int axis) {
    return (window->kernel[axis] - 1) * window->dilation[axis] + 1;
}

#endif
