/* SPDX-License-Identifier: MIT */
/* Gradient ascent on the input, from noise, the mean or a picture: Simonyan, Vedaldi and Zisserman,
   "Deep inside convolutional networks", 2013. The gradient is scaled to a root mean square of 1;
   what keeps the pictures natural is L2 decay towards the mean, total variation (Mahendran and
   Vedaldi, CVPR 2015), jitter and octaves (Mordvintsev et al., "Inceptionism", 2015), blur
   (Yosinski et al., 2015), and the range of the data. */
#include "inspect/maximize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "image/image.h"
#include "math/vector.h"

enum { TARGET = 112, COLUMNS = 5, REPORTS = 5, SAMPLED = 500 };

typedef struct {
    const dl_look *look;
    const dl_maximize_options *options;
    dl_net *net;
    dl_shape image;          /* the input as height, width, channels; else 1 x 1 x size */
    float *mean, low, high;  /* of the data, normalized */
    float *x, *moved, *base; /* [units of a batch][size] */
    float *score;
    dl_target_unit *target;
} ascent;

static float *allocate(const ascent *a, int count) {
    return xcalloc((size_t)count * (size_t)dl_shape_size(a->image), sizeof(float));
}

/* Mean and range of some rows of the split. */
static int measure_data(ascent *a, dl_error *error) {
    const dl_data *data = &a->look->model->data;
    const dl_subset *part = &data->part[a->look->split];
    int64_t size = dl_shape_size(a->image), rows = part->count < SAMPLED ? part->count : SAMPLED;
    a->low = INFINITY;
    a->high = -INFINITY;
    for (int64_t n = 0; n < rows; n++) {
        int64_t row = part->index[n * part->count / rows];
        if (dl_dataset_read(part->dataset, row, a->x, NULL, error))
            return -1;
        dl_normalize(&data->input, a->x, 1, size);
        for (int64_t i = 0; i < size; i++) {
            a->mean[i] += a->x[i] / (float)rows;
            a->low = fminf(a->low, a->x[i]);
            a->high = fmaxf(a->high, a->x[i]);
        }
    }
    return 0;
}

/* Each channel of y = x moved by some rows and columns, around the edges. */
static void roll(const ascent *a, const float *x, int rows, int columns, float *y) {
    const int *d = a->image.dim;
    for (int r = 0; r < d[0]; r++)
        for (int c = 0; c < d[1]; c++)
            dl_copy(y + (((r + rows + d[0]) % d[0]) * d[1] + (c + columns + d[1]) % d[1]) * d[2],
                    x + (r * d[1] + c) * d[2], d[2]);
}

/* x += part * (mean of the four neighbors - x): one step of diffusion. */
static void diffuse(const ascent *a, float *x, float part, float *work) {
    const int *d = a->image.dim;
    dl_copy(work, x, dl_shape_size(a->image));
    for (int r = 0; r < d[0]; r++)
        for (int c = 0; c < d[1]; c++)
            for (int k = 0; k < d[2]; k++) {
#define AT(row, column) work[((row)*d[1] + (column)) * d[2] + k]
                float sum = AT(r ? r - 1 : r, c) + AT(r + 1 < d[0] ? r + 1 : r, c) +
                            AT(r, c ? c - 1 : c) + AT(r, c + 1 < d[1] ? c + 1 : c);
                x[(r * d[1] + c) * d[2] + k] += part * (sum / 4 - AT(r, c));
#undef AT
            }
}

/* The gradient of the total variation, sum of |differences of neighbors|, is subtracted. */
static void reduce_variation(const ascent *a, const float *x, float part, float *step) {
    const int *d = a->image.dim;
    int64_t size = dl_shape_size(a->image);
    float small = 0.02f * (a->high - a->low);
    for (int axis = 0; axis < 2; axis++) {
        int64_t next = (int64_t)(axis ? 1 : d[1]) * d[2];
        for (int64_t i = 0; i + next < size; i++)
            if (axis == 0 || i / d[2] % d[1] + 1 < d[1]) {
                float slope = part * tanhf((x[i + next] - x[i]) / small);
                step[i] += slope;
                step[i + next] -= slope;
            }
    }
}

static void ascend(ascent *a, int64_t step, int64_t steps, int count) {
    const dl_maximize_options *o = a->options;
    int64_t size = dl_shape_size(a->image);
    uint32_t words[4];
    dl_random_words(&(dl_draw){(uint64_t)o->seed, DL_FOR_GENERATION, 1, 0, (uint32_t)step}, 0,
                    words);
    bool moves = a->image.dim[0] > 1;
    int span = 2 * (int)o->jitter + 1, rows = moves ? (int)(words[0] % (unsigned)span) : 0;
    int columns = moves ? (int)(words[1] % (unsigned)span) : 0;
    rows -= moves ? (int)o->jitter : 0;
    columns -= moves ? (int)o->jitter : 0;
    float rate = (float)(o->rate * (1 - 0.9 * (double)step / (double)steps)) * (a->high - a->low);
    for (int n = 0; n < count; n++)
        roll(a, a->x + n * size, rows, columns, a->moved + n * size);
    dl_look_differentiate(a->net, a->moved, count, a->target, false, a->score);
    for (int n = 0; n < count; n++) {
        float *x = a->x + n * size, *g = a->moved + n * size;
        roll(a, a->net->input_grad + n * size, -rows, -columns, g);
        double squares = 0;
        for (int64_t i = 0; i < size; i++)
            squares += (double)g[i] * g[i];
        float scale = squares > 0 ? (float)(1 / sqrt(squares / (double)size)) : 0;
        for (int64_t i = 0; i < size; i++)
            g[i] = g[i] * scale - (float)o->l2 * (x[i] - a->mean[i]);
        if (moves)
            reduce_variation(a, x, (float)o->variation, g);
        for (int64_t i = 0; i < size; i++)
            x[i] = fminf(fmaxf(x[i] + rate * g[i], a->low), a->high);
        if (moves && o->blur_every && step % o->blur_every == o->blur_every - 1 && step + 1 < steps)
            diffuse(a, x, 0.5f, g);
    }
}

/* Detail of octave k: the picture with what is finer than about 1.4^k pixels blurred away. */
static void coarsen(const ascent *a, int64_t octave, const float *from, float *to) {
    dl_copy(to, from, dl_shape_size(a->image));
    for (double blur = pow(2, (double)octave) - 1; blur > 0; blur--)
        diffuse(a, to, 0.8f, a->moved);
}

static void run(ascent *a, int count, double outputs[][REPORTS + 1]) {
    const dl_maximize_options *o = a->options;
    int64_t size = dl_shape_size(a->image), octaves = o->dream ? o->octaves : 1;
    int64_t steps = o->steps / octaves > 0 ? o->steps / octaves : 1, total = steps * octaves;
    float *detail = allocate(a, count), *coarse = allocate(a, 1);
    for (int64_t done = 0; done <= total; done++) {
        int64_t octave = octaves - 1 - (done < total ? done : total - 1) / steps;
        for (int n = 0; n < count && o->dream && done % steps == 0 && done < total; n++) {
            coarsen(a, octave, a->base + n * size, coarse);
            for (int64_t i = 0; i < size; i++)
                a->x[n * size + i] = coarse[i] + detail[n * size + i];
        }
        if (done * REPORTS / total != (done - 1) * REPORTS / total || done == 0) {
            dl_look_differentiate(a->net, a->x, count, a->target, false, a->score);
            for (int n = 0; n < count; n++)
                outputs[n][done * REPORTS / total] = a->score[n];
        }
        if (done < total)
            ascend(a, done % steps, steps, count);
        for (int n = 0; n < count && o->dream && (done + 1) % steps == 0; n++) {
            coarsen(a, octave, a->base + n * size, coarse);
            for (int64_t i = 0; i < size; i++)
                detail[n * size + i] = a->x[n * size + i] - coarse[i];
        }
    }
    free(coarse);
    free(detail);
}

static int read_file(const ascent *a, float *x, dl_error *error) {
    const char *path = a->options->from, *why = "only nets for images of bytes start from files";
    const dl_image_form form = {.shape = a->net->input, .resize = DL_IMAGE_STRETCH};
    int64_t size = dl_shape_size(a->image), bytes = 0;
    bool fits = a->net->input.rank == 3 && dl_look_has_bytes(a->look) &&
                (a->image.dim[2] == 1 || a->image.dim[2] == 3);
    char *file = dl_file_read(path, INT32_MAX, &bytes, DL_DATA, error);
    unsigned char *pixels = xmalloc((size_t)size);
    if (!file || !fits || dl_image_read(file, bytes, &form, pixels, &why)) {
        free(pixels);
        free(file);
        return file ? dl_fail(error, DL_DATA, "%s: %s", path, why) : -1;
    }
    for (int64_t i = 0; i < size; i++)
        x[i] = pixels[i];
    dl_normalize(&a->look->model->data.input, x, 1, size);
    free(pixels);
    free(file);
    return 0;
}

/* The first of `count` inputs, and copies, with noise of its own for each unit. */
static int start(ascent *a, int first, int count, dl_error *error) {
    const dl_maximize_options *o = a->options;
    int64_t size = dl_shape_size(a->image);
    for (int n = 0; n < count; n++) {
        float *x = a->base + n * size;
        if (o->from && read_file(a, x, error))
            return -1;
        dl_draw draw = {(uint64_t)o->seed, DL_FOR_GENERATION, 0, 0,
                        (uint32_t)a->look->unit[first + n]};
        dl_random_normal(&draw, 0, size, a->moved);
        for (int64_t i = 0; i < size && !o->from; i++)
            x[i] = a->mean[i] + (o->mean ? 0 : 0.05f * (a->high - a->low) * a->moved[i]);
        a->target[n] = (dl_target_unit){a->look->unit[first + n], -1};
    }
    dl_copy(a->x, a->base, count * size);
    return 0;
}

/* Prints the rise of each output, draws the inputs and adds them to the table. */
static void show(ascent *a, int first, int count, double outputs[][REPORTS + 1], dl_grid *grid,
                 float *all) {
    int64_t size = dl_shape_size(a->image);
    char number[16];
    for (int n = 0; n < count; n++) {
        const char *name = dl_look_unit_name(a->look, a->look->unit[first + n], number);
        float *x = all + (first + n) * size;
        dl_text line = {0};
        for (int r = 0; r <= REPORTS; r++)
            dl_text_add(&line, "%s%.4g", r ? " -> " : "", outputs[n][r]);
        dl_look_print("%s:%s  %s", a->net->layers[a->look->layer].name, name, line.data);
        dl_text_free(&line);
        dl_copy(x, a->x + n * size, size);
        dl_denormalize(&a->look->model->data.input, x, 1, size);
        dl_tiles tiles = {.value = x,
                          .pixel_stride = a->image.dim[2],
                          .channel_stride = 1,
                          .shape = a->image,
                          .bytes = dl_look_has_bytes(a->look)};
        if (!grid->pixels)
            continue;
        dl_grid_place_tile(grid, first + n, &tiles, 0);
        dl_grid_caption(grid, first + n, "%s\n%.4g", name, outputs[n][REPORTS]);
    }
}

int dl_look_at_maxima(dl_look *look, const dl_maximize_options *options, dl_error *error) {
    ascent a = {.look = look, .options = options, .net = &look->model->net};
    const dl_shape input = a.net->input;
    a.image = input.rank == 3 ? input : dl_shape3(1, 1, (int)dl_shape_size(input));
    int most = a.net->max_batch, result;
    double(*outputs)[REPORTS + 1] = xcalloc((size_t)most, sizeof *outputs);
    float *all = allocate(&a, look->count);
    dl_grid grid = {0};
    if (input.rank == 3)
        grid = dl_grid_open(look->count, look->count < COLUMNS ? look->count : COLUMNS, input.dim,
                            TARGET, 2);
    a.mean = allocate(&a, 1);
    a.x = allocate(&a, most);
    a.moved = allocate(&a, most);
    a.base = allocate(&a, most);
    a.score = xcalloc((size_t)most, sizeof *a.score);
    a.target = xcalloc((size_t)most, sizeof *a.target);
    result = dl_look_check_gradient(a.net, "maximize", error) || measure_data(&a, error) ? -1 : 0;
    for (int first = 0; first < look->count && !result; first += most) {
        int count = look->count - first < most ? look->count - first : most;
        result = start(&a, first, count, error);
        if (!result && count)
            run(&a, count, outputs);
        if (!result)
            show(&a, first, count, outputs, &grid, all);
    }
    if (!result)
        result = dl_look_write_npy(look, "maximize", look->count, input, all, error);
    if (!result && grid.pixels)
        result = dl_look_save(look, "maximize", &grid, error);
    dl_grid_free(&grid);
    float *owned[] = {a.mean, a.x, a.moved, a.base, a.score, all};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free(a.target);
    free(outputs);
    return result;
}
