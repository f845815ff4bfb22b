/* SPDX-License-Identifier: MIT */
/* Makes npy files byte by byte. */
#ifndef TESTS_NPY_HARNESS_H
#define TESTS_NPY_HARNESS_H

#include "data_harness.h"

typedef struct {
    unsigned char bytes[1 << 12];
    size_t count;
} blob;

static inline void put(blob *b, uint64_t value, int width) {
    for (int i = 0; i < width; i++)
        b->bytes[b->count++] = (unsigned char)(i < 8 ? value >> 8 * i : 0);
}

static inline void put_bytes(blob *b, const void *bytes, size_t count) {
    memcpy(b->bytes + b->count, bytes, count);
    b->count += count;
}

/* An npy file up to its elements. */
static inline blob header(int version, const char *dict) {
    blob b = {.count = 0};
    put_bytes(&b, "\x93NUMPY", 6);
    put(&b, (uint64_t)version, 2);
    put(&b, strlen(dict), version == 1 ? 2 : 4);
    put_bytes(&b, dict, strlen(dict));
    return b;
}

static inline void put_number(blob *b, const char *type, double value) {
    int width = type[2] - '0';
    float narrow = (float)value;
    uint64_t bits = 0;
    if (type[1] == 'f' && width == 4)
        memcpy(&bits, &narrow, 4);
    else if (type[1] == 'f')
        memcpy(&bits, &value, 8);
    else
        bits = (uint64_t)(int64_t)value;
    for (int i = 0; i < width; i++)
        put(b, bits >> 8 * (type[0] == '>' ? width - 1 - i : i), 1);
}

/* type: "<f4" and the like; shape: "(3, 2)". */
static inline blob array(int version, const char *type, bool fortran, const char *shape,
                         const double *values, int count) {
    char dict[128];
    snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }   \n", type,
             fortran ? "True" : "False", shape);
    blob b = header(version, dict);
    for (int i = 0; i < count; i++)
        put_number(&b, type, values[i]);
    return b;
}

#define ARRAY(type, shape, ...)                                                                    \
    array(1, type, false, shape, (const double[]){__VA_ARGS__},                                    \
          (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

static inline void save_blob(const char *name, blob b) {
    save_bytes(name, b.bytes, b.count);
}

/* Three rows of two, and their classes. */
static inline void save_good(void) {
    save_blob("x", ARRAY("|u1", "(3, 2)", 0, 1, 2, 3, 4, 255));
    save_blob("y", ARRAY("<i8", "(3,)", 0, 2, 1));
}

#define NPY "format = \"npy\"; train = { inputs = \"x\"; targets = \"y\"; };"

static inline void refuses(const char *words) {
    section_refuses(NPY, DL_DATA, words);
}

/* Opens, and compares the rows' numbers. */
static inline void opens(const char *shape, const double *x, int size, int rows) {
    section s;
    char text[48];
    float found[64], y[16];
    if (section_open_set(&s, NPY, NULL))
        fail_msg("%s", dl_text_get(&s.error.text));
    assert_string_equal(dl_shape_text(text, s.set->schema.input), shape);
    assert_int_equal(s.set->count, rows);
    for (int i = rows - 1; i >= 0; i--) {
        assert_int_equal(s.set->type->read(s.set, i, found, y, &s.error), 0);
        for (int k = 0; k < size; k++)
            if (found[k] != (float)x[i * size + k])
                fail_msg("row %d, number %d: %g", i, k, (double)found[k]);
    }
    section_free(&s);
}

#endif
