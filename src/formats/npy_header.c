/* SPDX-License-Identifier: MIT */
/* The npy format (numpy.lib.format): \x93NUMPY, a version (1.0, 2.0, 3.0), the length of the header
   in 2 bytes (version 1) or 4, little-endian; then the header, a Python dict literal, {'descr':
   '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }; then the elements. */
#include <stdlib.h>
#include <string.h>

#include "base/mapped.h"
#include "base/memory.h"
#include "formats/npy.h"

enum { MAX_ELEMENTS = 1 << 28, MAX_HEADER = 1 << 16, CHUNK = 512 };

/* ---- the header ---- */

typedef struct {
    const char *at, *end;
} cursor;

static void skip_blanks(cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n'))
        c->at++;
}

static bool accept(cursor *c, char wanted) {
    skip_blanks(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

/* A quoted string of at most 15 characters. */
static bool parse_string(cursor *c, char out[16]) {
    skip_blanks(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    char quote = *c->at++;
    int length = 0;
    for (; c->at < c->end && *c->at != quote; c->at++) {
        if (length == 15)
            return false;
        out[length++] = *c->at;
    }
    out[length] = '\0';
    return accept(c, quote);
}

static bool parse_bool(cursor *c, bool *out) {
    skip_blanks(c);
    *out = c->end - c->at >= 4 && !memcmp(c->at, "True", 4);
    bool no = c->end - c->at >= 5 && !memcmp(c->at, "False", 5);
    c->at += *out ? 4 : no ? 5 : 0;
    return *out || no;
}

/* A nonnegative integer; saturates on overflow. */
static bool parse_number(cursor *c, int64_t *out) {
    skip_blanks(c);
    const char *first = c->at;
    for (*out = 0; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        *out = *out > INT64_MAX / 10 - 1 ? INT64_MAX / 10 : 10 * *out + (*c->at - '0');
    if (c->at < c->end && *c->at == 'L' && c->at > first) /* Python 2 wrote 5L */
        c->at++;
    return c->at > first;
}

/* (5, 3), (5,) or (); rank -1: too many dimensions. */
static bool parse_shape(cursor *c, dl_npy *array) {
    if (!accept(c, '('))
        return false;
    for (array->rank = 0; !accept(c, ')');) {
        int64_t dim;
        if (!parse_number(c, &dim))
            return false;
        if (array->rank >= 0 && array->rank < DL_NPY_MAX_DIMS)
            array->dim[array->rank++] = dim;
        else
            array->rank = -1;
        if (!accept(c, ',')) /* optional before the end */
            return accept(c, ')');
    }
    return true;
}

static bool type_of(const char *descr, dl_npy *array) {
    static const struct {
        const char *name;
        dl_dtype type;
    } types[] = {{"u1", DL_U8},  {"i1", DL_I8},  {"b1", DL_I8},  {"i2", DL_I16},
                 {"u2", DL_U16}, {"i4", DL_I32}, {"u4", DL_U32}, {"i8", DL_I64},
                 {"u8", DL_U64}, {"f2", DL_F16}, {"f4", DL_F32}, {"f8", DL_F64}};
    if (!descr[0] || !strchr("<>|=", descr[0]))
        return false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(descr + 1, types[i].name)) {
            array->type = types[i].type;
            array->width = dl_dtype_width(array->type);
            bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
            array->swapped = array->width > 1 && descr[0] == (little ? '>' : '<');
            return descr[0] != '|' || array->width == 1;
        }
    return false;
}

static int header_error(const dl_npy *array, const cursor *c, const char *what, dl_error *error) {
    return dl_fail(error, DL_DATA, "%s: offset %lld: %s", array->path,
                   (long long)(c->at - (const char *)array->bytes), what);
}

/* Three keys, each once, in any order. */
static int read_dict(dl_npy *array, cursor *c, dl_error *error) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    char key[16], descr[16] = "";
    int seen = 0;
    if (!accept(c, '{'))
        return header_error(array, c, "the header does not begin with {", error);
    while (!accept(c, '}')) {
        cursor before = *c;
        int k = 0;
        if (!parse_string(c, key) || !accept(c, ':'))
            return header_error(array, &before, "a header key is missing", error);
        while (k < 3 && strcmp(keys[k], key) != 0)
            k++;
        if (k == 3 || seen & 1 << k)
            return header_error(array, &before, "unknown or repeated header key", error);
        seen |= 1 << k;
        before = *c;
        if (k == 0 && accept(&before, '['))
            return header_error(
                array, c, "a structured array (with named fields); save each field separately",
                error);
        if (!(k == 0   ? parse_string(c, descr)
              : k == 1 ? parse_bool(c, &array->fortran)
                       : parse_shape(c, array)))
            return header_error(array, c, "invalid header", error);
        if (!accept(c, ',')) { /* optional before the end */
            if (accept(c, '}'))
                break;
            return header_error(array, c, "expected a comma or the end of the header", error);
        }
    }
    if (seen != 7)
        return header_error(array, c, "the header must have descr, fortran_order and shape", error);
    if (!type_of(descr, array)) {
        for (char *d = descr; *d; d++)
            *d = *d < ' ' || *d > '~' ? '?' : *d;
        return dl_fail(error, DL_DATA,
                       "%s: unsupported element type \"%s\": bool, integers (i1 to i8, u1 to u8) "
                       "and floats (f2, f4, f8) can be read (for example, save x.astype(\"f4\"))",
                       array->path, descr);
    }
    return 0;
}

/* ---- shape and size ---- */

char *dl_npy_dims(const dl_npy *array, char out[96]) {
    int at = 0;
    snprintf(out, 96, "one number");
    for (int i = 0; i < array->rank; i++)
        at += snprintf(out + at, (size_t)(96 - at), i ? "x%lld" : "%lld", (long long)array->dim[i]);
    return out;
}

/* To be called before reading or allocating: checks the size in the header. */
static int check_size(dl_npy *array, dl_error *error) {
    char dims[96];
    int64_t bytes = 0, available = array->count - array->header;
    bool possible = true;
    if (array->rank < 1)
        return dl_fail(error, DL_DATA, "%s: an array of %s dimensions; 1 to %d are supported",
                       array->path, array->rank ? "too many" : "no", DL_NPY_MAX_DIMS);
    array->rows = array->dim[0];
    array->size = 1;
    for (int i = 0; i < array->rank; i++)
        if (!array->dim[i])
            return dl_fail(error, DL_DATA, "%s: is an array of %s: it has no %s", array->path,
                           dl_npy_dims(array, dims), i ? "elements" : "rows");
    for (int i = 1; i < array->rank; i++)
        possible = possible && dl_multiply(array->size, array->dim[i], &array->size) &&
                   array->size <= MAX_ELEMENTS;
    if (!possible)
        return dl_fail(error, DL_DATA,
                       "%s: the header claims %s; at most %d numbers per row are supported",
                       array->path, dl_npy_dims(array, dims), MAX_ELEMENTS);
    if (!dl_multiply(array->size, array->width, &bytes) ||
        !dl_multiply(bytes, array->rows, &bytes) || bytes > available)
        return dl_fail(
            error, DL_DATA,
            "%s: is cut short, or its header is wrong: %s elements of %d byte%s need %.15g bytes, "
            "but there are %lld",
            array->path, dl_npy_dims(array, dims), array->width, array->width > 1 ? "s" : "",
            (double)array->size * array->width * (double)array->rows, (long long)available);
    if (bytes < available)
        return dl_fail(error, DL_DATA, "%s: offset %lld: there is data after the last element",
                       array->path, (long long)(array->header + bytes));
    return 0;
}

/* out[i][j] = in[j][i] for elements of `width` bytes, in cache-friendly tiles. */
static void transpose(const char *in, int64_t rows, int64_t columns, int width, char *out) {
    enum { SIDE = 32 };
    for (int64_t i0 = 0; i0 < columns; i0 += SIDE)
        for (int64_t j0 = 0; j0 < rows; j0 += SIDE)
            for (int64_t i = i0; i < columns && i < i0 + SIDE; i++)
                for (int64_t j = j0; j < rows && j < j0 + SIDE; j++)
                    memcpy(out + (i * rows + j) * width, in + (j * columns + i) * width,
                           (size_t)width);
}

/* Converts column-major to row-major: first all rows at once, then the indices within each row. */
static void to_c_order(dl_npy *array) {
    int64_t bytes = array->rows * array->size * array->width, row = array->size * array->width;
    char *made = xmalloc((size_t)bytes), *transposed = xmalloc((size_t)row);
    transpose(array->values, array->size, array->rows, array->width, made);
    for (int64_t r = 0; r < array->rows && array->rank > 2; r++) {
        /* a row is [d3][d2][d1]: moves d1 to the front, then d2 */
        int64_t first = array->dim[1], rest = array->size / first;
        transpose(made + r * row, rest, first, array->width, transposed);
        memcpy(made + r * row, transposed, (size_t)row);
        for (int64_t k = 0; k < first && array->rank > 3; k++) {
            char *part = made + r * row + k * rest * array->width;
            transpose(part, array->dim[3], array->dim[2], array->width, transposed);
            memcpy(part, transposed, (size_t)(rest * array->width));
        }
    }
    free(transposed);
    free(array->owned);
    array->owned = made;
    array->values = made;
}

static const char *guess_type(const unsigned char *b, int64_t count) {
    if (count > 1 && b[0] == 'P' && b[1] == 'K')
        return ": it is a zip archive (format = \"npz\" reads those)";
    return count > 1 && b[0] == 0x1f && b[1] == 0x8b ? ": it is gzip; decompress it first" : "";
}

int dl_npy_parse(dl_npy *array, const dl_dataset *dataset, int64_t others, dl_error *error) {
    const unsigned char *b = array->bytes;
    if (array->count < 10 || memcmp(b, "\x93NUMPY", 6) != 0)
        return dl_fail(error, DL_DATA,
                       "%s: offset 0: is not a NumPy array (npy), or is cut short%s", array->path,
                       guess_type(b, array->count));
    if (b[6] < 1 || b[6] > 3 || b[7])
        return dl_fail(
            error, DL_DATA,
            "%s: offset 6: version %d.%d of the npy format; 1.0, 2.0 and 3.0 are supported",
            array->path, b[6], b[7]);
    int64_t before = b[6] == 1 ? 10 : 12, length = b[8] | b[9] << 8;
    if (b[6] > 1 && array->count >= 12)
        length |= (int64_t)b[10] << 16 | (int64_t)b[11] << 24;
    if (length > MAX_HEADER || before + length > array->count)
        return dl_fail(
            error, DL_DATA,
            "%s: offset 8: a header of %lld bytes: the file is cut short, or the header is wrong",
            array->path, (long long)length);
    array->header = before + length;
    array->values = b + array->header;
    cursor c = {(const char *)b + before, (const char *)b + array->header};
    if (read_dict(array, &c, error))
        return -1;
    skip_blanks(&c);
    if (c.at < c.end)
        return header_error(array, &c, "unexpected data after the header", error);
    if (check_size(array, error))
        return -1;
    if (!array->fortran || array->rank < 2)
        return 0;
    int64_t bytes = array->rows * array->size * array->width;
    if (!array->held && dl_dataset_fits(dataset, array->path, (double)others + (double)bytes,
                                        "save numpy.ascontiguousarray(x), then it can", error))
        return -1;
    to_c_order(array);
    array->held = bytes;
    return 0;
}

/* ---- elements ---- */

/* Copies elements, which may be unaligned, to native byte order. */
static const void *copy_elements(const dl_npy *array, int64_t first, int64_t count,
                                 double buffer[CHUNK]) {
    const char *from = (const char *)array->values + first * array->width;
    memcpy(buffer, from, (size_t)(count * array->width));
    if (array->swapped)
        dl_dtype_from_big_endian(buffer, count, array->width);
    return buffer;
}

void dl_npy_floats(const dl_npy *array, int64_t first, int64_t count, float *out) {
    double buffer[CHUNK];
    for (int64_t done = 0; done < count; done += CHUNK) {
        int64_t n = count - done < CHUNK ? count - done : CHUNK;
        dl_dtype_to_floats(copy_elements(array, first + done, n, buffer), array->type, n,
                           out + done);
    }
}

void dl_npy_doubles(const dl_npy *array, int64_t first, int64_t count, double *out) {
    double buffer[CHUNK];
    for (int64_t done = 0; done < count; done += CHUNK) {
        int64_t n = count - done < CHUNK ? count - done : CHUNK;
        const void *values = copy_elements(array, first + done, n, buffer);
        for (int64_t i = 0; i < n; i++)
            out[done + i] = dl_dtype_number(values, array->type, i);
    }
}

int64_t dl_npy_find_not_finite(const dl_npy *array) {
    double buffer[CHUNK];
    int64_t total = array->rows * array->size;
    for (int64_t done = 0; done < total && dl_dtype_is_float(array->type); done += CHUNK) {
        int64_t n = total - done < CHUNK ? total - done : CHUNK;
        int64_t bad =
            dl_dtype_find_not_finite(copy_elements(array, done, n, buffer), array->type, n);
        if (bad >= 0)
            return done + bad;
    }
    return -1;
}

int64_t dl_npy_integer(const dl_npy *array, int64_t i) {
    double buffer[CHUNK];
    return dl_dtype_integer(copy_elements(array, i, 1, buffer), array->type, 0);
}

double dl_npy_number(const dl_npy *array, int64_t i) {
    double buffer[CHUNK];
    return dl_dtype_number(copy_elements(array, i, 1, buffer), array->type, 0);
}

/* ---- files ---- */

int dl_npy_load(dl_npy *array, const char *path, dl_error *error) {
    size_t size = 0;
    array->path = xstrdup(path);
    array->bytes = array->mapped = dl_mapped_open(array->path, &size, error);
    array->count = array->mapped_count = (int64_t)size;
    return array->mapped ? 0 : -1;
}

void dl_npy_free(dl_npy *array) {
    dl_mapped_close(array->mapped, (size_t)array->mapped_count);
    free(array->owned);
    free(array->path);
    *array = (dl_npy){0};
}
