/* SPDX-License-Identifier: MIT */
#include "math/window.h"

const char *const dl_padding_words[] = {"same", "valid", NULL};

/* ceil_mode: a window that starts in the image or the leading padding may extend beyond it. */
static int set_axis(dl_window *w, int axis, int input, int64_t padding, bool ceil_mode, int *out) {
    int64_t kernel = dl_window_extent(w, axis), stride = w->stride[axis], padded;
    if (padding == DL_PAD_SAME) {
        int64_t count = (input + stride - 1) / stride;
        int64_t missing = (count - 1) * stride + kernel - input;
        w->before[axis] = missing > 0 ? (int)(missing / 2) : 0;
        *out = (int)count;
        return 0;
    }
    padding = padding == DL_PAD_VALID ? 0 : padding;
    padded = input + 2 * padding;
    w->before[axis] = (int)padding;
    int64_t room = padded - kernel + (ceil_mode ? stride - 1 : 0);
    if (room < 0 || padding >= kernel)
        return -1;
    int64_t count = room / stride + 1;
    if (ceil_mode && (count - 1) * stride >= input + padding)
        count--;
    *out = (int)count;
    return 0;
}

static int set_window(dl_window *w, dl_shape input, const int64_t kernel[2],
                      const int64_t stride[2], const int64_t dilation[2], const int64_t padding[2],
                      bool ceil_mode, const char *where, dl_error *error) {
    char shape[48];
    if (input.rank != 3)
        return dl_fail(error, DL_USAGE, "%s: needs an image (height x width x channels), not %s",
                       where, dl_shape_text(shape, input));
    w->height = input.dim[0];
    w->width = input.dim[1];
    w->channels = input.dim[2];
    for (int axis = 0; axis < 2; axis++) {
        w->kernel[axis] = (int)kernel[axis];
        w->stride[axis] = (int)stride[axis];
        w->dilation[axis] = (int)dilation[axis];
    }
    for (int axis = 0; axis < 2; axis++)
        if (padding[axis] >= dl_window_extent(w, axis))
            return dl_fail(error, DL_USAGE,
                           "%s: padding %lld must be less than the window's size %d", where,
                           (long long)padding[axis], dl_window_extent(w, axis));
    if (set_axis(w, 0, w->height, padding[0], ceil_mode, &w->out_height) ||
        set_axis(w, 1, w->width, padding[1], ceil_mode, &w->out_width))
        return dl_fail(error, DL_USAGE, "%s: a %dx%d window does not fit into its input of %s",
                       where, dl_window_extent(w, 0), dl_window_extent(w, 1),
                       dl_shape_text(shape, input));
    return 0;
}

static const int64_t adjacent[2] = {1, 1};

int dl_window_set(dl_window *w, dl_shape input, const int64_t kernel[2], const int64_t stride[2],
                  const int64_t padding[2], const char *where, dl_error *error) {
    return set_window(w, input, kernel, stride, adjacent, padding, false, where, error);
}

int dl_window_set_ceil(dl_window *w, dl_shape input, const int64_t kernel[2],
                       const int64_t stride[2], const int64_t padding[2], const char *where,
                       dl_error *error) {
    return set_window(w, input, kernel, stride, adjacent, padding, true, where, error);
}

int dl_window_set_dilated(dl_window *w, dl_shape input, const int64_t kernel[2],
                          const int64_t stride[2], const int64_t dilation[2],
                          const int64_t padding[2], const char *where, dl_error *error) {
    return set_window(w, input, kernel, stride, dilation, padding, false, where, error);
}
