#include "math/pool.h"

#include <stdbool.h>

#include "math/vector.h"

static int64_t in_size(const dl_window *w) {
    return (int64_t)w->height * w->width * w->channels;
}

static int64_t out_size(const dl_window *w) {
    return (int64_t)w->out_height * w->out_width * w->channels;
}

/* The part of a window that is inside the image. */
typedef struct {
    int top, bottom, left, right, above, before; /* above, before: rows and columns cut off */
} dl_part;

static dl_part part_inside(const dl_window *w, int oy, int ox) {
    int top = oy * w->stride[0] - w->before[0], left = ox * w->stride[1] - w->before[1];
    int bottom = top + w->kernel[0], right = left + w->kernel[1];
    dl_part p = {top < 0 ? 0 : top,   bottom > w->height ? w->height : bottom,
                 left < 0 ? 0 : left, right > w->width ? w->width : right,
                 top < 0 ? -top : 0,  left < 0 ? -left : 0};
    return p;
}

static void max_window(const dl_window *w, dl_part p, const float *x, float *y,
                       unsigned char *winner) {
    int64_t channels = w->channels;
    bool first = true;
    for (int iy = p.top; iy < p.bottom; iy++)
        for (int ix = p.left; ix < p.right; ix++, first = false) {
            const float *source = x + ((int64_t)iy * w->width + ix) * channels;
            int place = (iy - p.top + p.above) * w->kernel[1] + ix - p.left + p.before;
            unsigned char mark = (unsigned char)place;
            if (first)
                dl_copy(y, source, channels);
            if (first && winner)
                for (int64_t c = 0; c < channels; c++)
                    winner[c] = mark;
            if (first)
                continue;
            if (winner)
                for (int64_t c = 0; c < channels; c++)
                    winner[c] = source[c] > y[c] || source[c] != source[c] ? mark : winner[c];
            for (int64_t c = 0; c < channels; c++)
                y[c] = source[c] > y[c] || source[c] != source[c] ? source[c] : y[c];
        }
}

void dl_max_pool_forward(const dl_window *w, int batch, const float *x, float *y,
                         unsigned char *winner) {
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++)
        for (int oy = 0; oy < w->out_height; oy++)
            for (int ox = 0; ox < w->out_width; ox++) {
                int64_t at = n * out_size(w) + ((int64_t)oy * w->out_width + ox) * w->channels;
                max_window(w, part_inside(w, oy, ox), x + n * in_size(w), y + at,
                           winner ? winner + at : NULL);
            }
}

void dl_max_pool_backward(const dl_window *w, int batch, const float *dy,
                          const unsigned char *winner, float *dx) {
    int64_t channels = w->channels;
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *image = dx + n * in_size(w);
        dl_zero(image, in_size(w));
        for (int oy = 0; oy < w->out_height; oy++)
            for (int ox = 0; ox < w->out_width; ox++) {
                int64_t at = n * out_size(w) + ((int64_t)oy * w->out_width + ox) * channels;
                dl_part p = part_inside(w, oy, ox);
                for (int iy = p.top; iy < p.bottom; iy++)
                    for (int ix = p.left; ix < p.right; ix++) {
                        int place = (iy - p.top + p.above) * w->kernel[1] + ix - p.left + p.before;
                        float *target = image + ((int64_t)iy * w->width + ix) * channels;
                        for (int64_t c = 0; c < channels; c++)
                            target[c] += winner[at + c] == place ? dy[at + c] : 0;
                    }
            }
    }
}

void dl_avg_pool_forward(const dl_window *w, int batch, const float *x, float *y) {
    int64_t channels = w->channels;
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++)
        for (int oy = 0; oy < w->out_height; oy++)
            for (int ox = 0; ox < w->out_width; ox++) {
                dl_part p = part_inside(w, oy, ox);
                float *out = y + n * out_size(w) + ((int64_t)oy * w->out_width + ox) * channels;
                float share = 1.0f / (float)((p.bottom - p.top) * (p.right - p.left));
                dl_zero(out, channels);
                for (int iy = p.top; iy < p.bottom; iy++)
                    for (int ix = p.left; ix < p.right; ix++) {
                        const float *source =
                            x + n * in_size(w) + ((int64_t)iy * w->width + ix) * channels;
                        for (int64_t c = 0; c < channels; c++)
                            out[c] += source[c];
                    }
                for (int64_t c = 0; c < channels; c++)
                    out[c] *= share;
            }
}

void dl_avg_pool_backward(const dl_window *w, int batch, const float *dy, float *dx) {
    int64_t channels = w->channels;
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *image = dx + n * in_size(w);
        dl_zero(image, in_size(w));
        for (int oy = 0; oy < w->out_height; oy++)
            for (int ox = 0; ox < w->out_width; ox++) {
                dl_part p = part_inside(w, oy, ox);
                const float *out =
                    dy + n * out_size(w) + ((int64_t)oy * w->out_width + ox) * channels;
                float share = 1.0f / (float)((p.bottom - p.top) * (p.right - p.left));
                for (int iy = p.top; iy < p.bottom; iy++)
                    for (int ix = p.left; ix < p.right; ix++) {
                        float *target = image + ((int64_t)iy * w->width + ix) * channels;
                        for (int64_t c = 0; c < channels; c++)
                            target[c] += share * out[c];
                    }
            }
    }
}
