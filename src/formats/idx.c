/* SPDX-License-Identifier: MIT */
/* The IDX format of the MNIST database: big-endian; two zero bytes, the element type, the number of
   dimensions, each dimension as 32 bits, then the elements. Inputs are kept in memory in their type
   and converted to floats row by row. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "formats/dataset.h"
#include "formats/dtype.h"

typedef struct {
    const char *images, *labels;
    int64_t classes;
} idx_options;

static const dl_option options[] = {
    DL_STRING_OPTION("images", idx_options, images, DL_REQUIRED,
                     "file of inputs, plain or gzip: rows x height x width (gray), rows x height x "
                     "width x channels, rows x numbers, or rows"),
    DL_STRING_OPTION(
        "labels", idx_options, labels, DL_REQUIRED,
        "file of targets, plain or gzip: integers are classes from 0, one per row or (rows x "
        "height x width) one per pixel; floats, one or more per row, are regression targets"),
    DL_INT_OPTION("classes", idx_options, classes, DL_NO_DEFAULT, 2, 1000000,
                  "number of classes; default: one more than the largest training label"),
    DL_OPTIONS_END,
};

enum { U8 = 0x08, F32 = 0x0D }; /* codes of element types */
enum { MAX_DIMS = 4, MAX_CLASSES = 1000000, MAX_ELEMENTS = 1 << 28, CHUNK = 1 << 26 };

/* One open file. */
typedef struct {
    char *path;
    dl_reader *reader;
    dl_dtype type; /* of elements */
    int width;     /* bytes per element */
    int rank;
    int64_t dim[MAX_DIMS];
    int64_t rows, size; /* size: elements of a row */
    int64_t header;     /* bytes */
    void *values;       /* [rows][size], native byte order; owned */
} idx_file;

typedef struct {
    dl_dtype type;
    int64_t size;   /* of a row of inputs, in elements */
    int64_t bytes;  /* and in bytes */
    void *inputs;   /* [count][size] of `type` */
    int *classes;   /* [count][outputs], or NULL for regression */
    float *targets; /* [count][outputs], or NULL for classification */
    int outputs;
} idx_state;

/* ---- headers ---- */

/* "60000x28x28"; returns `out`. */
static char *dims_text(char out[64], const idx_file *file) {
    int at = 0;
    out[0] = '\0';
    for (int i = 0; i < file->rank; i++)
        at += snprintf(out + at, (size_t)(64 - at), i ? "x%lld" : "%lld", (long long)file->dim[i]);
    return out;
}

/* Describes a file by its first four bytes. */
static const char *guess_type(const unsigned char *magic) {
    if (!memcmp(magic, "\x1f\x8b", 2))
        return "it is gzip within gzip";
    if (!memcmp(magic, "\x89PNG", 4) || !memcmp(magic, "\xff\xd8\xff", 3))
        return "it is an image";
    if (!memcmp(magic, "PK", 2))
        return "it is a zip archive";
    if (!memcmp(magic, "\x93NUM", 4))
        return "it is a NumPy array";
    if ((magic[0] == U8 || magic[0] == F32) && !magic[2] && !magic[3])
        return "its bytes are in the wrong order";
    for (int i = 0; i < 4; i++)
        if (magic[i] != '\n' && magic[i] != '\r' && (magic[i] < 32 || magic[i] > 126))
            return "an IDX file begins with 00 00";
    return "it is a text file";
}

/* Reads exactly `count` bytes; `what`: their name in messages. */
static int read_exactly(idx_file *file, void *out, int64_t count, const char *what,
                        dl_error *error) {
    int64_t got = dl_reader_read(file->reader, out, count, error);
    if (got == count)
        return 0;
    if (got >= 0)
        dl_fail(error, DL_DATA, "%s: is cut short: %s needs %lld bytes, the file ends after %lld",
                file->path, what, (long long)(dl_reader_offset(file->reader) - got + count),
                (long long)dl_reader_offset(file->reader));
    return -1;
}

static bool type_of(int code, dl_dtype *type) {
    static const struct {
        int code;
        dl_dtype type;
    } types[] = {{U8, DL_U8},    {0x09, DL_I8}, {0x0B, DL_I16},
                 {0x0C, DL_I32}, {F32, DL_F32}, {0x0E, DL_F64}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) {
            *type = types[i].type;
            return true;
        }
    return false;
}

static int read_magic(idx_file *file, dl_error *error) {
    unsigned char magic[4];
    if (read_exactly(file, magic, 4, "an IDX header", error))
        return -1;
    if (magic[0] || magic[1])
        return dl_fail(error, DL_DATA,
                       "%s: offset 0: is not an IDX file: it begins with %02x %02x %02x %02x (%s)",
                       file->path, magic[0], magic[1], magic[2], magic[3], guess_type(magic));
    if (!type_of(magic[2], &file->type))
        return dl_fail(error, DL_DATA,
                       "%s: offset 2: there is no IDX element type 0x%02X (there are 08, 09, 0B, "
                       "0C, 0D and 0E)",
                       file->path, magic[2]);
    file->width = dl_dtype_width(file->type);
    file->rank = magic[3];
    if (file->rank < 1 || file->rank > MAX_DIMS)
        return dl_fail(error, DL_DATA,
                       "%s: offset 3: an array of %d dimensions; 1 to %d are supported", file->path,
                       magic[3], MAX_DIMS);
    return 0;
}

/* To be called before allocating: checks the size in the header. */
static int check_size(idx_file *file, dl_error *error) {
    char dims[64];
    for (int i = 0; i < file->rank; i++) {
        if (!file->dim[i] && !i)
            return dl_fail(error, DL_DATA, "%s: offset 4: has no rows", file->path);
        if (!file->dim[i])
            return dl_fail(error, DL_DATA, "%s: offset %d: dimension %d is 0", file->path,
                           4 + 4 * i, i + 1);
    }
    int64_t bytes = 0;
    file->size = 1;
    bool possible = true;
    for (int i = 1; i < file->rank; i++)
        possible = possible && dl_multiply(file->size, file->dim[i], &file->size) &&
                   file->size <= MAX_ELEMENTS;
    if (!possible)
        return dl_fail(
            error, DL_DATA,
            "%s: offset 8: the header claims %s; at most %d numbers per row are supported",
            file->path, dims_text(dims, file), MAX_ELEMENTS);
    int64_t available = dl_reader_bound(file->reader) - file->header;
    if (!dl_multiply(file->size, file->width, &bytes) || !dl_multiply(bytes, file->rows, &bytes) ||
        bytes > available)
        return dl_fail(
            error, DL_DATA,
            "%s: offset 4: the header claims %s elements of %d byte%s, %.15g bytes with the "
            "header, but the file has at most %lld: it is cut short, or the header is wrong",
            file->path, dims_text(dims, file), file->width, file->width > 1 ? "s" : "",
            (double)file->size * file->width * (double)file->rows + (double)file->header,
            (long long)dl_reader_bound(file->reader));
    return 0;
}

static int open_file(idx_file *file, const dl_dataset *dataset, const char *name, dl_error *error) {
    file->path = dl_dataset_find(dataset, name, error);
    if (!file->path)
        return -1;
    file->reader = dl_reader_open(file->path, DL_DATA, error);
    if (!file->reader || read_magic(file, error))
        return -1;
    unsigned char bytes[4 * MAX_DIMS];
    if (read_exactly(file, bytes, 4 * file->rank, "an IDX header", error))
        return -1;
    for (int i = 0; i < file->rank; i++) {
        const unsigned char *b = bytes + 4 * i;
        file->dim[i] = (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    }
    file->rows = file->dim[0];
    file->header = dl_reader_offset(file->reader);
    return check_size(file, error);
}

static void close_file(idx_file *file) {
    dl_reader_close(file->reader);
    free(file->path);
    free(file->values);
}

/* ---- elements ---- */

/* The buffer grows with the data read: a small gzip file may claim a huge size. */
static int read_values(idx_file *file, dl_error *error) {
    int64_t total = file->rows * file->size * file->width, done = 0, capacity = 0;
    while (done < total) {
        capacity = capacity ? capacity * 2 : CHUNK;
        if (capacity > total)
            capacity = total;
        file->values = xrealloc(file->values, (size_t)capacity);
        char what[96], dims[64];
        snprintf(what, sizeof what, "%s elements of %d byte%s", dims_text(dims, file), file->width,
                 file->width > 1 ? "s" : "");
        int64_t got =
            dl_reader_read(file->reader, (char *)file->values + done, capacity - done, error);
        if (got < 0)
            return -1;
        if (got < capacity - done)
            return dl_fail(
                error, DL_DATA,
                "%s: is cut short: the header and %s need %lld bytes, the file ends after %lld",
                file->path, what, (long long)(file->header + total),
                (long long)dl_reader_offset(file->reader));
        done = capacity;
    }
    char more;
    int64_t extra = dl_reader_read(file->reader, &more, 1, error);
    if (extra < 0)
        return -1;
    if (extra)
        return dl_fail(error, DL_DATA, "%s: offset %lld: there is data after the last element",
                       file->path, (long long)(file->header + total));
    dl_dtype_from_big_endian(file->values, file->rows * file->size, file->width);
    return 0;
}

static int check_finite(const idx_file *file, dl_error *error) {
    int64_t bad = dl_dtype_find_not_finite(file->values, file->type, file->rows * file->size);
    if (bad < 0)
        return 0;
    return dl_fail(
        error, DL_DATA,
        "%s: offset %lld: row %lld (from 0) has the value %g; values must be finite as floats",
        file->path, (long long)(file->header + bad * file->width), (long long)(bad / file->size),
        dl_dtype_number(file->values, file->type, bad));
}

/* ---- targets ---- */

/* Sets the classes from integer labels. `classes` 0: one more than the largest label. */
static int set_classes(dl_dataset *dataset, const idx_file *file, int64_t classes,
                       dl_error *error) {
    idx_state *state = dataset->state;
    int64_t largest = 0, limit = classes ? classes : MAX_CLASSES;
    state->classes = xmalloc(sizeof *state->classes * (size_t)(file->rows * file->size));
    for (int64_t i = 0; i < file->rows * file->size; i++) {
        int64_t label = dl_dtype_integer(file->values, file->type, i), row = i / file->size;
        long long offset = (long long)(file->header + i * file->width);
        if (label < 0)
            return dl_fail(error, DL_DATA,
                           "%s: offset %lld: row %lld (from 0) has label %lld; labels start at 0",
                           file->path, offset, (long long)row, (long long)label);
        if (label >= limit)
            return dl_fail(
                error, DL_DATA,
                "%s: offset %lld: row %lld (from 0) has label %lld, but %s%lld classes, 0 to %lld",
                file->path, offset, (long long)row, (long long)label,
                classes ? "there are " : "there can be at most ", (long long)limit,
                (long long)limit - 1);
        if (label > largest)
            largest = label;
        state->classes[i] = (int)label;
    }
    dataset->schema.classes = (int)(classes ? classes : largest + 1);
    dataset->schema.outputs = state->outputs = (int)file->size;
    return 0;
}

static int set_targets(dl_dataset *dataset, const idx_file *file, dl_error *error) {
    idx_state *state = dataset->state;
    if (check_finite(file, error))
        return -1;
    state->targets = xmalloc(sizeof(float) * (size_t)(file->rows * file->size));
    dl_dtype_to_floats(file->values, file->type, file->rows * file->size, state->targets);
    dataset->schema.outputs = state->outputs = (int)file->size;
    return 0;
}

/* ---- the format ---- */

/* Checks the headers against each other, before reading the images. */
static int check_headers(const idx_file *images, const idx_file *labels, dl_error *error) {
    char dims[64];
    if (labels->rank > images->rank)
        return dl_fail(error, DL_DATA,
                       "%s: offset 3: is an array of %s, which has more dimensions than %s%s",
                       labels->path, dims_text(dims, labels), images->path,
                       images->rank == 1 && !dl_dtype_is_float(images->type)
                           ? " (are `images` and `labels` swapped?)"
                           : "");
    if (!dl_dtype_is_float(labels->type) && labels->rank > 3)
        return dl_fail(
            error, DL_DATA,
            "%s: offset 3: is an array of %s; labels must be one per row or one per pixel",
            labels->path, dims_text(dims, labels));
    if (images->rows != labels->rows)
        return dl_fail(error, DL_DATA, "%s has %lld rows, but %s has %lld: they must be equal",
                       images->path, (long long)images->rows, labels->path,
                       (long long)labels->rows);
    return 0;
}

static int check_like(const dl_dataset *dataset, const idx_file *images, const idx_file *labels,
                      const dl_schema *like, dl_error *error) {
    char found[48], wanted[48];
    const dl_schema *own = &dataset->schema;
    int result = 0;
    if (strcmp(dl_shape_text(found, own->input), dl_shape_text(wanted, like->input)))
        result = dl_fail(error, DL_DATA, "%s: offset 4: inputs are %s, but in training they are %s",
                         images->path, found, wanted);
    if (dataset->unlabeled)
        return result;
    if (!like->classes != dl_dtype_is_float(labels->type))
        result =
            dl_fail(error, DL_DATA, "%s: offset 2: targets are %s, but in training they are %s",
                    labels->path, dl_dtype_is_float(labels->type) ? "numbers" : "classes",
                    like->classes ? "classes" : "numbers");
    else if (like->outputs != labels->size)
        result = dl_fail(error, DL_DATA,
                         "%s: offset 8: has %lld targets per row, but in training there are %d",
                         labels->path, (long long)labels->size, like->outputs);
    return result;
}

static int read_labels(dl_dataset *dataset, idx_file *labels, int64_t classes, dl_error *error) {
    if (read_values(labels, error))
        return -1;
    return dl_dtype_is_float(labels->type) ? set_targets(dataset, labels, error)
                                           : set_classes(dataset, labels, classes, error);
}

static int open_files(dl_dataset *dataset, const dl_schema *like, idx_file *images,
                      idx_file *labels, dl_error *error) {
    const idx_options *o = dataset->options;
    idx_state *state = dataset->state;
    int failed = open_file(images, dataset, o->images, error);
    bool labeled = !dataset->unlabeled;
    if (labeled)
        failed |= open_file(labels, dataset, o->labels, error);
    if (failed || (labeled && check_headers(images, labels, error)))
        return -1;
    dataset->schema.input = dl_dtype_row_shape(images->rank, images->dim);
    if (like && check_like(dataset, images, labels, like, error))
        return -1;
    if (labeled && read_labels(dataset, labels, like ? like->classes : o->classes, error))
        return -1;
    if (dl_dataset_fits(dataset, images->path,
                        (double)images->rows * (double)images->size * images->width, NULL, error))
        return -1;
    if (read_values(images, error) || check_finite(images, error))
        return -1;
    state->type = images->type;
    state->size = images->size;
    state->bytes = images->size * images->width;
    state->inputs = images->values;
    images->values = NULL;
    dl_sources_add(&dataset->sources, images->path, 0);
    dataset->count = images->rows;
    dataset->bytes = images->type == DL_U8;
    return 0;
}

static int idx_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    idx_file images = {0}, labels = {0};
    dataset->state = xcalloc(1, sizeof(idx_state));
    int result = open_files(dataset, like, &images, &labels, error);
    close_file(&images);
    close_file(&labels);
    if (!result && like)
        dataset->schema = dl_schema_copy(like);
    return result;
}

static int idx_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const idx_state *state = dataset->state;
    (void)error;
    if (x)
        dl_dtype_to_floats((const char *)state->inputs + i * state->bytes, state->type, state->size,
                           x);
    for (int64_t k = 0; y && state->classes && k < state->outputs; k++)
        y[k] = (float)state->classes[i * state->outputs + k];
    if (y && state->targets)
        memcpy(y, state->targets + i * state->outputs, sizeof(float) * (size_t)state->outputs);
    return 0;
}

enum { MAX_PREFETCH = 4096 }; /* bytes of a row; the hardware prefetches the rest */

static void idx_prefetch(const dl_dataset *dataset, int64_t i) {
    const idx_state *state = dataset->state;
    const char *row = (const char *)state->inputs + i * state->bytes;
    for (int64_t at = 0; at < state->bytes && at < MAX_PREFETCH; at += 64)
        __builtin_prefetch(row + at);
}

static void idx_close(dl_dataset *dataset) {
    idx_state *state = dataset->state;
    dl_sources_free(&dataset->sources);
    if (!state)
        return;
    free(state->inputs);
    free(state->classes);
    free(state->targets);
    free(state);
    dataset->state = NULL;
}

extern const dl_dataset_type dl_dataset_idx;
const dl_dataset_type dl_dataset_idx = {
    .kind = {.name = "idx",
             .help = "images or other arrays and labels in the IDX format of MNIST, plain or gzip, "
                     "any element type",
             .size = sizeof(idx_options),
             .options = options},
    .open = idx_open,
    .read = idx_read,
    .prefetch = idx_prefetch,
    .close = idx_close,
};
