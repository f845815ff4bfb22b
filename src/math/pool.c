/* SPDX-License-Identifier: MIT */
#include "math/pool.h"

#include <stdbool.h>
#include <string.h>

#include "math/vector.h"

/* Channels that are worked on at a time, in arrays that stay in registers or the first cache. */
enum { CHUNK = 64 };

static int64_t in_size(const dl_window *w) {
    return (int64_t)w->height * w->width * w->channels;
}

static int64_t out_size(const dl_window *w) {
    return (int64_t)w->out_height * w->out_width * w->channels;
}

/* The part of a window that is inside the image, from (top, left) to (bottom, right), and the
   position in the window of its first pixel. */
typedef struct {
    int top, bottom, left, right, position;
} part;

static part part_inside(const dl_window *w, int oy, int ox) {
    int top = oy * w->stride[0] - w->before[0], left = ox * w->stride[1] - w->before[1];
    int bottom = top + w->kernel[0], right = left + w->kernel[1];
    int above = top < 0 ? -top : 0, before = left < 0 ? -left : 0;
    return (part){top + above, bottom > w->height ? w->height : bottom, left + before,
                  right > w->width ? w->width : right, above * w->kernel[1] + before};
}

/* `count` channels under one window; the positions are int32 so that they are as wide as the
 *
   values. */
static void max_channels(const dl_window *w, const part *p, const float *x, int count, float *y,
                         unsigned char *winner) {
    float best[CHUNK];
    int32_t which[CHUNK];
    const float *first = x + ((int64_t)p->top * w->width + p->left) * w->channels;
    for (int c = 0; c < count; c++) {
        best[c] = first[c];
        which[c] = p->position;
    }
    for (int iy = p->top; iy < p->bottom; iy++)
        for (int ix = p->left + (iy == p->top); ix < p->right; ix++) {
            const float *v = x + ((int64_t)iy * w->width + ix) * w->channels;
            int32_t position = p->position + (iy - p->top) * w->kernel[1] + ix - p->left;
#pragma omp simd
            for (int c = 0; c < count; c++) {
                bool wins = (v[c] > best[c]) | (v[c] != v[c]); /* a NaN, too */
                which[c] = wins ? position : which[c];
                best[c] = wins ? v[c] : best[c];
            }
        }
    for (int c = 0; c < count; c++)
        y[c] = best[c];
    for (int c = 0; winner && c < count; c++)
        winner[c] = (unsigned char)which[c];
}

/* Windows of 2x2, the usual ones, without a detour: a line of windows that are inside the image. */
static void max_line_2x2(const dl_window *w, const float *top, float *y, unsigned char *winner) {
    const int64_t channels = w->channels, below = (int64_t)w->width * channels;
    for (int ox = 0; ox < w->out_width; ox++, top += w->stride[1] * channels, y += channels) {
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            float best = top[c];
            const float next[3] = {top[channels + c], top[below + c], top[below + channels + c]};
            int32_t position = 0;
            for (int k = 0; k < 3; k++) {
                bool wins = (next[k] > best) | (next[k] != next[k]); /* a NaN, too */
                position = wins ? k + 1 : position;
                best = wins ? next[k] : best;
            }
            y[c] = best;
            if (winner)
                winner[c] = (unsigned char)position;
        }
        winner += winner ? channels : 0;
    }
}

static bool is_2x2_inside(const dl_window *w) {
    return w->kernel[0] == 2 && w->kernel[1] == 2 && !w->before[0] && !w->before[1] &&
           (w->out_height - 1) * w->stride[0] + 2 <= w->height &&
           (w->out_width - 1) * w->stride[1] + 2 <= w->width;
}

void dl_max_pool_forward(const dl_window *w, int batch, const float *x, float *y,
                         unsigned char *winner) {
    bool simple = is_2x2_inside(w);
    int64_t line = (int64_t)w->out_width * w->channels;
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++)
        for (int oy = 0; oy < w->out_height; oy++) {
            if (simple) {
                int64_t to = n * out_size(w) + oy * line;
                max_line_2x2(
                    w, x + n * in_size(w) + (int64_t)oy * w->stride[0] * w->width * w->channels,
                    y + to, winner ? winner + to : NULL);
                continue;
            }
            for (int ox = 0; ox < w->out_width; ox++) {
                int64_t at = n * out_size(w) + ((int64_t)oy * w->out_width + ox) * w->channels;
                part p = part_inside(w, oy, ox);
                for (int c = 0; c < w->channels; c += CHUNK)
                    max_channels(w, &p, x + n * in_size(w) + c,
                                 w->channels - c < CHUNK ? w->channels - c : CHUNK, y + at + c,
                                 winner ? winner + at + c : NULL);
            }
        }
}

static void spread_max(const dl_window *w, const part *p, const float *dy,
                       const unsigned char *winner, int count, float *dx) {
    int32_t which[CHUNK];
    for (int c = 0; c < count; c++)
        which[c] = winner[c];
    for (int iy = p->top; iy < p->bottom; iy++)
        for (int ix = p->left; ix < p->right; ix++) {
            int32_t position = p->position + (iy - p->top) * w->kernel[1] + ix - p->left;
            float *target = dx + ((int64_t)iy * w->width + ix) * w->channels;
#pragma omp simd
            for (int c = 0; c < count; c++)
                target[c] += which[c] == position ? dy[c] : 0;
        }
}

void dl_max_pool_backward(const dl_window *w, int batch, const float *dy,
                          const unsigned char *winner, float *dx) {
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *image = dx + n * in_size(w);
        dl_zero(image, in_size(w));
        for (int oy = 0; oy < w->out_height; oy++)
            for (int ox = 0; ox < w->out_width; ox++) {
                int64_t at = n * out_size(w) + ((int64_t)oy * w->out_width + ox) * w->channels;
                part p = part_inside(w, oy, ox);
                for (int c = 0; c < w->channels; c += CHUNK)
                    spread_max(w, &p, dy + at + c, winner + at + c,
                               w->channels - c < CHUNK ? w->channels - c : CHUNK, image + c);
            }
    }
}

void dl_max_pool_gather(const dl_window *w, int batch, const float *x, const unsigned char *winner,
                        float *y) {
    const int64_t channels = w->channels, line = (int64_t)w->width * channels;
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++)
        for (int oy = 0; oy < w->out_height; oy++)
            for (int ox = 0; ox < w->out_width; ox++) {
                int64_t at = n * out_size(w) + ((int64_t)oy * w->out_width + ox) * channels;
                int64_t top = (int64_t)oy * w->stride[0] - w->before[0];
                int64_t left = (int64_t)ox * w->stride[1] - w->before[1];
                const float *image = x + n * in_size(w);
                for (int64_t c = 0; c < channels; c++) {
                    int position = winner[at + c];
                    int64_t iy = top + position / w->kernel[1], ix = left + position % w->kernel[1];
                    y[at + c] = image[iy * line + ix * channels + c];
                }
            }
}

/* Sums are taken down the rows first, in long loops, then along them. The sums of the rows under a
   row of windows are kept for a stretch of pixels at a time. */
enum { ROW = 4096, WIDE = 16 };

static float share_of(const part *p) {
    return 1.0f / (float)((p->bottom - p->top) * (p->right - p->left));
}

/* Windows [first, last) of output row oy of one image; their pixels' rows fit into sums[ROW]. */
static void average_stretch(const dl_window *w, const float *x, int oy, int first, int last,
                            float *y) {
    float sums[ROW + WIDE];
    int64_t channels = w->channels;
    part head = part_inside(w, oy, first), tail = part_inside(w, oy, last - 1);
    int64_t many = (tail.right - head.left) * channels;
    const float *row = x + ((int64_t)head.top * w->width + head.left) * channels;
    memcpy(sums, row, sizeof *sums * (size_t)many);
    for (int iy = head.top + 1; iy < head.bottom; iy++) {
        row += w->width * channels;
#pragma omp simd
        for (int64_t i = 0; i < many; i++)
            sums[i] += row[i];
    }
    for (int ox = first; ox < last; ox++) {
        part p = part_inside(w, oy, ox);
        const float *from = sums + (p.left - head.left) * channels;
        float *to = y + ox * channels, share = share_of(&p);
        if (channels < WIDE &&
            (last - ox) * channels >= WIDE) { /* the surplus is overwritten by the next ones */
            float sum[WIDE];
            for (int i = 0; i < WIDE; i++)
                sum[i] = from[i];
            for (int64_t k = 1; k < p.right - p.left; k++)
                for (int i = 0; i < WIDE; i++)
                    sum[i] += from[k * channels + i];
            for (int i = 0; i < WIDE; i++)
                to[i] = share * sum[i];
            continue;
        }
        for (int64_t c = 0; c < channels; c++) {
            float sum = from[c];
            for (int64_t i = 1; i < p.right - p.left; i++)
                sum += from[i * channels + c];
            to[c] = share * sum;
        }
    }
}

/* How many windows of a row fit into a stretch; 0 if not even one does. */
static int windows_a_stretch(const dl_window *w) {
    int64_t pixels = ROW / w->channels;
    if (pixels < w->kernel[1])
        return 0;
    return (int)((pixels - w->kernel[1]) / w->stride[1] + 1);
}

/* A window at a time, for very many channels. */
static void average_window(const dl_window *w, const part *p, const float *x, float *y) {
    float share = share_of(p);
    dl_zero(y, w->channels);
    for (int iy = p->top; iy < p->bottom; iy++)
        for (int ix = p->left; ix < p->right; ix++)
            dl_add(y, x + ((int64_t)iy * w->width + ix) * w->channels, w->channels);
    for (int64_t c = 0; c < w->channels; c++)
        y[c] *= share;
}

void dl_avg_pool_forward(const dl_window *w, int batch, const float *x, float *y) {
    int many = windows_a_stretch(w);
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++)
        for (int oy = 0; oy < w->out_height; oy++) {
            const float *image = x + n * in_size(w);
            float *row = y + n * out_size(w) + (int64_t)oy * w->out_width * w->channels;
            for (int ox = 0; ox < w->out_width; ox += many ? many : 1) {
                int last = ox + many < w->out_width ? ox + many : w->out_width;
                part p = part_inside(w, oy, ox);
                if (many)
                    average_stretch(w, image, oy, ox, last, row);
                else
                    average_window(w, &p, image, row + (int64_t)ox * w->channels);
            }
        }
}

/* Side by side windows: each dx is in one of them. A line of dy becomes a line of dx, written once
   for every row of the window. */
static bool are_side_by_side(const dl_window *w) {
    bool within = !w->before[0] && !w->before[1] && w->out_height * w->kernel[0] <= w->height &&
                  w->out_width * w->kernel[1] <= w->width;
    return within && w->kernel[0] == w->stride[0] && w->kernel[1] == w->stride[1] &&
           (int64_t)w->width * w->channels <= ROW;
}

static void spread_average_line(const dl_window *w, const float *dy, float *line) {
    const float share = 1.0f / (float)(w->kernel[0] * w->kernel[1]);
    const int64_t channels = w->channels;
    if (channels < WIDE) { /* whole vectors: each one's surplus is overwritten by the next */
        float scaled[ROW + WIDE];
        for (int64_t i = 0; i < w->out_width * channels; i++)
            scaled[i] = share * dy[i];
        for (int64_t i = 0; i < WIDE; i++)
            scaled[w->out_width * channels + i] = 0;
        const float *from = scaled;
        for (int ox = 0; ox < w->out_width; ox++, from += channels)
            for (int kx = 0; kx < w->kernel[1]; kx++, line += channels)
                for (int64_t i = 0; i < WIDE; i++)
                    line[i] = from[i];
        return;
    }
    for (int ox = 0; ox < w->out_width; ox++, dy += channels)
        for (int kx = 0; kx < w->kernel[1]; kx++, line += channels)
            for (int64_t c = 0; c < channels; c++)
                line[c] = share * dy[c];
}

static void spread_average(const dl_window *w, const float *dy, float *image) {
    float line[ROW + WIDE];
    int64_t many = (int64_t)w->width * w->channels, out = (int64_t)w->out_width * w->channels;
    for (int oy = 0; oy < w->out_height; oy++) {
        spread_average_line(w, dy + oy * out, line);
        for (int64_t i = out * w->kernel[1]; i < many; i++) /* under no window */
            line[i] = 0;
        for (int ky = 0; ky < w->kernel[0]; ky++, image += many)
            memcpy(image, line, sizeof *line * (size_t)many);
    }
    dl_zero(image, (int64_t)(w->height - w->out_height * w->kernel[0]) * many);
}

void dl_avg_pool_backward(const dl_window *w, int batch, const float *dy, float *dx) {
    int64_t channels = w->channels;
    bool side_by_side = are_side_by_side(w);
#pragma omp parallel for schedule(static)
    for (int n = 0; n < batch; n++) {
        float *image = dx + n * in_size(w);
        if (side_by_side) {
            spread_average(w, dy + n * out_size(w), image);
            continue;
        }
        dl_zero(image, in_size(w));
        for (int oy = 0; oy < w->out_height; oy++)
            for (int ox = 0; ox < w->out_width; ox++) {
                part p = part_inside(w, oy, ox);
                const float *from =
                    dy + n * out_size(w) + ((int64_t)oy * w->out_width + ox) * channels;
                float share = share_of(&p);
                for (int iy = p.top; iy < p.bottom; iy++)
                    for (int ix = p.left; ix < p.right; ix++) {
                        float *to = image + ((int64_t)iy * w->width + ix) * channels;
#pragma omp simd
                        for (int64_t c = 0; c < channels; c++)
                            to[c] += share * from[c];
                    }
            }
    }
}
