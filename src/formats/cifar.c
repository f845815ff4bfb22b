/* SPDX-License-Identifier: MIT */
/* The binary format of CIFAR-10 and CIFAR-100 (Krizhevsky, "Learning multiple layers of features
   from tiny images", 2009): rows of one label (or two: coarse and fine) and 32x32 pixels in planes
   red, green, blue. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "formats/dataset.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE };

typedef struct {
    dl_strings files;
    int labels;
} cifar_options;

static const char *const label_words[] = {"ten", "coarse", "fine", NULL};

static const dl_option options[] = {
    DL_STRINGS_OPTION("files", cifar_options, files, DL_REQUIRED, "list of files, plain or gzip"),
    DL_CHOICE_OPTION(
        "labels", cifar_options, labels, "ten", label_words,
        "ten (CIFAR-10), or the coarse (20 classes) or fine (100 classes) labels of CIFAR-100"),
    DL_OPTIONS_END,
};

typedef struct {
    unsigned char *rows; /* [count][row_bytes], owned */
    int64_t bytes;       /* total */
    int label_at, row_bytes;
} cifar_state;

/* Appends the bytes of a file. */
static int read_file(dl_dataset *dataset, const char *name, dl_error *error) {
    cifar_state *state = dataset->state;
    char *path = dl_dataset_find(dataset, name, error);
    if (!path)
        return -1;
    dl_reader *reader = dl_reader_open(path, DL_DATA, error);
    int64_t first = state->bytes, got = 1, capacity = state->bytes;
    while (reader && got > 0) {
        if (state->bytes == capacity) {
            capacity += (int64_t)state->row_bytes * 4096;
            state->rows = xrealloc(state->rows, (size_t)capacity);
        }
        got = dl_reader_read(reader, state->rows + state->bytes, capacity - state->bytes, error);
        state->bytes += got > 0 ? got : 0;
        if (dl_dataset_fits(dataset, path, (double)state->bytes, NULL, error))
            got = -1;
    }
    dl_reader_close(reader);
    int64_t bytes = state->bytes - first;
    dl_sources_add(&dataset->sources, path, first / state->row_bytes);
    int result = !reader || got < 0 ? -1 : 0;
    if (!result && (bytes == 0 || bytes % state->row_bytes))
        result = dl_fail(error, DL_DATA,
                         "%s: has %lld bytes, not a multiple of the row size %d (labels = \"%s\")",
                         path, (long long)bytes, state->row_bytes,
                         label_words[((const cifar_options *)dataset->options)->labels]);
    free(path);
    return result;
}

static int check_labels(const dl_dataset *dataset, dl_error *error) {
    const cifar_state *state = dataset->state;
    for (int64_t i = 0; i < dataset->count; i++) {
        int label = state->rows[i * state->row_bytes + state->label_at];
        if (label >= dataset->schema.classes)
            return dl_fail(error, DL_DATA, "%s: row %lld has label %d, but there are %d classes",
                           dataset->where, (long long)i + 1, label, dataset->schema.classes);
    }
    return 0;
}

static int cifar_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    static const int classes[] = {10, 20, 100};
    const cifar_options *o = dataset->options;
    cifar_state *state = dataset->state = xcalloc(1, sizeof *state);
    state->row_bytes = PIXELS + (o->labels ? 2 : 1);
    state->label_at = o->labels == 2;
    dataset->schema.input = dl_shape3(SIDE, SIDE, 3);
    dataset->schema.classes = classes[o->labels];
    dataset->schema.outputs = 1;
    dataset->bytes = true;
    if (!o->files.count)
        return dl_fail(error, DL_USAGE, "%s: files must name at least one file", dataset->where);
    for (int i = 0; i < o->files.count; i++)
        if (read_file(dataset, o->files.items[i], error))
            return -1;
    dataset->count = state->bytes / state->row_bytes;
    if (like && (like->classes != dataset->schema.classes ||
                 !dl_shape_equal(like->input, dataset->schema.input)))
        return dl_fail(error, DL_DATA,
                       "%s: 32x32x3 images of %d classes do not match the training data",
                       dataset->where, dataset->schema.classes);
    return check_labels(dataset, error);
}

static int cifar_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const cifar_state *state = dataset->state;
    const unsigned char *row = state->rows + i * state->row_bytes;
    const unsigned char *red = row + state->row_bytes - PIXELS;
    (void)error;
    for (int p = 0; x && p < PLANE; p++)
        for (int c = 0; c < 3; c++)
            x[3 * p + c] = (float)red[c * PLANE + p];
    if (y)
        *y = (float)row[state->label_at];
    return 0;
}

static void cifar_close(dl_dataset *dataset) {
    cifar_state *state = dataset->state;
    dl_sources_free(&dataset->sources);
    if (state)
        free(state->rows);
    free(state);
    dataset->state = NULL;
}

extern const dl_dataset_type dl_dataset_cifar;
const dl_dataset_type dl_dataset_cifar = {
    .kind = {.name = "cifar",
             .help = "binary files of CIFAR-10 and CIFAR-100",
             .size = sizeof(cifar_options),
             .options = options},
    .open = cifar_open,
    .read = cifar_read,
    .close = cifar_close,
};
