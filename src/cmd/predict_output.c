/* SPDX-License-Identifier: MIT */
#include "cmd/predict_output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/npz_writer.h"
#include "base/terminal.h"
#include "cmd/common.h"

static bool is_array(const predict_output *o) {
    return o->options.format == PREDICT_NPY || o->options.format == PREDICT_NPZ;
}

/* ---- pictures ---- */

static bool is_drawable(const dltrain_info *info) {
    int channels = info->output_rank == 3 ? info->output_dim[2] : 0;
    return info->kind == DLTRAIN_CLASSES ? info->positions > 1 && info->output_rank == 3
                                         : channels == 1 || channels == 3;
}

static unsigned char to_byte(float v) {
    return (unsigned char)(v > 0 ? v < 255 ? v + 0.5f : 255 : 0);
}

/* Colors of classes 1, 2, ... over an image. */
static const unsigned char palette[][3] = {{230, 25, 75},  {60, 180, 75},  {0, 130, 200},
                                           {255, 225, 25}, {145, 30, 180}, {70, 240, 240},
                                           {245, 130, 48}, {240, 50, 230}};

/* The input, and half over it the color of the class; class 0 has none. */
static void draw_overlay(const dltrain_info *info, const dltrain_answers *a, int i,
                         unsigned char *pixels) {
    const float *input = a->input + (size_t)i * info->input_size;
    int channels = info->input_dim[2], height = info->output_dim[0], width = info->output_dim[1];
    float highest = 0;
    for (size_t k = 0; k < info->input_size; k++)
        highest = input[k] > highest ? input[k] : highest;
    float scale = highest <= 1 ? 255 : 1;
    for (int r = 0; r < height; r++)
        for (int s = 0; s < width; s++) {
            size_t at = (size_t)r * (size_t)width + (size_t)s;
            int y = (int)((int64_t)r * info->input_dim[0] / height);
            int x = (int)((int64_t)s * info->input_dim[1] / width);
            int class = a->classes[(size_t)i * info->positions + at];
            const float *from = input + ((int64_t)y * info->input_dim[1] + x) * channels;
            for (int c = 0; c < 3; c++) {
                unsigned char own = to_byte(scale * from[channels == 3 ? c : 0]);
                const unsigned char *color = palette[(class + 7) % 8];
                pixels[3 * at + (size_t)c] =
                    class ? (unsigned char)((own + color[c] + 1) / 2) : own;
            }
        }
}

static unsigned char *draw(const predict_output *o, const dltrain_info *info,
                           const dltrain_answers *a, int i, int *channels) {
    bool classes = info->kind == DLTRAIN_CLASSES;
    size_t count = (size_t)info->output_dim[0] * (size_t)info->output_dim[1];
    *channels = !classes ? info->output_dim[2] : o->options.overlay ? 3 : 1;
    unsigned char *pixels = xmalloc(count * (size_t)*channels);
    if (classes && o->options.overlay)
        draw_overlay(info, a, i, pixels);
    for (size_t k = 0; k < count * (size_t)*channels && !(classes && o->options.overlay); k++)
        pixels[k] = classes ? (unsigned char)a->classes[(size_t)i * info->positions + k]
                            : to_byte(a->out[(size_t)i * info->output_size + k]);
    return pixels;
}

/* photo.jpg becomes photo.mask.png, there or in the folder of --out; a row gets its number. */
static char *name_picture(const predict_output *o, const dltrain_info *info,
                          const dltrain_answers *a, int i) {
    static const char *const words[] = {[DLTRAIN_CLASSES] = "mask",
                                        [DLTRAIN_NUMBERS] = "answer",
                                        [DLTRAIN_INPUTS] = "answer",
                                        [DLTRAIN_COLORS] = "color",
                                        [DLTRAIN_OUTPUTS] = "layer"};
    const char *file = a->file && strcmp(a->file[i], "-") ? a->file[i] : "input",
               *base = dl_path_base(file);
    const char *point = strrchr(base, '.');
    dl_text name = {0};
    if (o->options.path)
        dl_text_add(&name, "%s/", o->options.path);
    else
        dl_text_add(&name, "%.*s", (int)(base - file), file);
    dl_text_add(&name, "%.*s", point && point > base ? (int)(point - base) : (int)strlen(base),
                base);
    if (a->row[i] >= 0)
        dl_text_add(&name, ".%06lld", a->row[i]);
    dl_text_add(&name, ".%s.png", o->options.overlay ? "overlay" : words[info->kind]);
    return name.data;
}

static int add_pictures(predict_output *o, const dltrain_info *info, const dltrain_answers *a,
                        dl_error *error) {
    int result = 0;
    for (int i = 0; i < a->count && !result; i++) {
        int channels;
        size_t size;
        if (a->problem[i])
            continue;
        unsigned char *pixels = draw(o, info, a, i, &channels);
        unsigned char *bytes =
            dltrain_png(pixels, info->output_dim[0], info->output_dim[1], channels, &size);
        char *name = name_picture(o, info, a, i);
        if (dl_string_set_find(&o->pictures, name) >= 0)
            result = dl_fail(error, DL_USAGE,
                             "%s: was already written for another input of this name: draw them "
                             "one by one, or give each folder its own -o",
                             name);
        else
            result = dl_file_write(name, bytes, size, error);
        dl_string_set_add(&o->pictures, name);
        free(name);
        free(bytes);
        free(pixels);
    }
    return result;
}

/* ---- arrays ---- */

static int add_arrays(predict_output *o, const dltrain_info *info, const dltrain_answers *a,
                      dl_error *error) {
    size_t size = info->output_size;
    if (o->rows && (size != o->size || memcmp(o->dim, info->output_dim, sizeof o->dim) != 0))
        return dl_fail(error, DL_USAGE,
                       "the answers have different shapes, which one array cannot hold: use "
                       "--format csv or png, or --size");
    o->size = size;
    o->positions = info->positions;
    o->rank = info->output_rank;
    memcpy(o->dim, info->output_dim, sizeof o->dim);
    if (o->rows + a->count > o->room) {
        o->room = 2 * (o->rows + a->count);
        o->out = xrealloc(o->out, sizeof *o->out * size * (size_t)o->room);
        o->classes = xrealloc(o->classes, sizeof *o->classes * o->positions * (size_t)o->room);
    }
    float *to = o->out + (size_t)o->rows * size;
    memcpy(to, a->out, sizeof *to * size * (size_t)a->count);
    for (int i = 0; i < a->count; i++) /* the rows stay those of the inputs */
        for (size_t k = 0; a->problem[i] && k < size; k++)
            to[(size_t)i * size + k] = NAN;
    if (a->classes)
        memcpy(o->classes + (size_t)o->rows * o->positions, a->classes,
               sizeof *o->classes * o->positions * (size_t)a->count);
    o->rows += a->count;
    return 0;
}

static int write_arrays(const predict_output *o, FILE *file, dl_error *error) {
    dl_text answer = {0}, class = {0};
    dl_npz_writer zip = {0};
    size_t bytes = sizeof *o->out * o->size * (size_t)o->rows;
    bool npz = o->options.format == PREDICT_NPZ;
    int result = 0;
    dl_npy_write(&answer, "<f4", o->rows, o->rank, o->dim, o->out ? (void *)o->out : "", bytes);
    if (npz && o->table.info->classes)
        dl_npy_write(&class, "<i4", o->rows, o->positions > 1 ? o->rank - 1 : 0, o->dim,
                     o->classes ? (void *)o->classes : "",
                     sizeof *o->classes * o->positions * (size_t)o->rows);
    if (npz && answer.length > UINT32_MAX / 2)
        result = dl_fail(error, DL_USAGE, "the answers are too many for npz: use npy");
    else if (npz) {
        dl_npz_writer_add(&zip, "answer.npy", &answer);
        if (class.length)
            dl_npz_writer_add(&zip, "class.npy", &class);
        dl_npz_writer_finish(&zip);
    }
    const dl_text *all = npz ? &zip.zip : &answer;
    if (!result)
        fwrite(all->data, 1, all->length, file);
    dl_text_free(&answer);
    dl_text_free(&class);
    dl_npz_writer_free(&zip);
    return result;
}

/* ---- all ---- */

static FILE *file_of(const predict_output *o) {
    return o->open ? o->writer.file : stdout;
}

int predict_output_open(predict_output *o, const predict_output_options *options,
                        const dltrain_info *info, dl_error *error) {
    o->options = *options;
    o->started = dl_clock();
    o->table = (predictions){.info = info,
                             .json = options->format == PREDICT_JSON,
                             .deviation = options->deviation,
                             .keep = options->keep,
                             .keep_count = options->keep_count,
                             .all = options->all,
                             .top = options->top > info->classes ? info->classes : options->top};
    if (options->top && (!info->classes || !info->probabilities))
        return dl_fail(error, DL_USAGE, "--top is for nets that have probabilities of classes");
    if (options->format == PREDICT_PNG && !is_drawable(info))
        return dl_fail(error, DL_USAGE,
                       "--format png is for nets whose answer is an image or has a class at each "
                       "pixel");
    if (options->overlay &&
        (options->format != PREDICT_PNG || info->kind != DLTRAIN_CLASSES || info->input_rank != 3))
        return dl_fail(error, DL_USAGE,
                       "--overlay is for --format png of nets with a class at each pixel");
    if (options->format == PREDICT_PNG)
        return options->path ? dl_folder_create(options->path, error) : 0;
    if (is_array(o) && !options->path && isatty(STDOUT_FILENO))
        return dl_fail(error, DL_USAGE, "arrays are not printed to a terminal: use -o FILE");
    if (!options->path || !strcmp(options->path, "-"))
        return 0;
    if (dl_file_is_folder(options->path))
        return dl_fail(error, DL_FAILURE, "%s: is a folder, not a file", options->path);
    if (dl_writer_open_output(&o->writer, options->path, error))
        return -1;
    o->open = true;
    return 0;
}

static void begin_table(predict_output *o, const dltrain_answers *a) {
    o->table.files = a->file;
    o->table.rows = a->counted;
    predictions_begin(&o->table, file_of(o));
    o->begun = true;
}

static void note_latency(predict_output *o, double seconds) {
    if (o->frames == o->frames_room) {
        o->frames_room = o->frames_room ? 2 * o->frames_room : 1024;
        o->seconds = xrealloc(o->seconds, sizeof *o->seconds * (size_t)o->frames_room);
    }
    o->seconds[o->frames++] = seconds;
}

int predict_output_add(predict_output *o, const dltrain_info *info, const dltrain_answers *a,
                       dl_error *error) {
    o->table.info = info;
    if (a->seconds > 0)
        note_latency(o, a->seconds);
    if (o->options.format == PREDICT_PNG)
        return add_pictures(o, info, a, error);
    if (is_array(o))
        return add_arrays(o, info, a, error);
    if (!o->begun)
        begin_table(o, a);
    for (int i = 0; i < a->count; i++) {
        size_t at = (size_t)i * info->output_size;
        const prediction p = {.file = a->file ? a->file[i] : NULL,
                              .problem = a->problem[i],
                              .row = a->row[i],
                              .kept = a->kept + (size_t)i * (size_t)o->options.keep_count,
                              .out = a->out + at,
                              .deviation = a->deviation ? a->deviation + at : NULL,
                              .classes =
                                  a->classes ? a->classes + (size_t)i * info->positions : NULL,
                              .input = a->input + (size_t)i * info->input_size};
        predictions_add(&o->table, &p, file_of(o));
    }
    if (o->open)
        return ferror(o->writer.file) ? dl_writer_finish(&o->writer, error) : 0;
    return cmd_flush() ? 0 : 1;
}

static int by_value(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static void print_latency(predict_output *o) {
    if (!o->frames)
        return;
    char median[32], high[32];
    qsort(o->seconds, (size_t)o->frames, sizeof *o->seconds, by_value);
    fprintf(stderr, "%lld frames, %.0f per second; latency: median %s, 99th percentile %s\n",
            (long long)o->frames, (double)o->frames / (dl_clock() - o->started),
            dl_text_seconds(median, o->seconds[o->frames / 2]),
            dl_text_seconds(high, o->seconds[(o->frames - 1) * 99 / 100]));
}

int predict_output_finish(predict_output *o, dl_error *error) {
    if (is_array(o) && write_arrays(o, file_of(o), error))
        return -1;
    print_latency(o);
    if (!o->open)
        return 0;
    o->open = false;
    return dl_writer_commit(&o->writer, error);
}

void predict_output_close(predict_output *o) {
    if (o->open)
        dl_writer_abort(&o->writer);
    free(o->out);
    free(o->classes);
    free(o->seconds);
    dl_string_set_free(&o->pictures);
}
