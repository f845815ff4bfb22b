/* SPDX-License-Identifier: MIT */
/* What the tests of the formats of pictures share: small files, and looking at rows. */
#ifndef TESTS_PICTURE_HARNESS_H
#define TESTS_PICTURE_HARNESS_H

#include "data_harness.h"

#include <pthread.h>

/* A grey picture; values[height * width]. */
static inline void save_grey(const char *name, int height, int width, const int *values) {
    char bytes[512];
    size_t head = (size_t)snprintf(bytes, sizeof bytes, "P5 %d %d 255\n", width, height);
    for (int i = 0; i < height * width; i++)
        bytes[head + (size_t)i] = (char)values[i];
    save_bytes(name, bytes, head + (size_t)(height * width));
}

#define GREY(name, height, width, ...) save_grey(name, height, width, (const int[]){__VA_ARGS__})

/* Removes a folder with what is in it. */
static inline void clear(const char *path) {
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char *inner = dl_path_join(path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlink(inner))
            clear(inner);
        free(inner);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

static inline void has_row(const section *s, dl_split part, int64_t i, const float *x, int size,
                           float y) {
    float found[64], class;
    dl_error error = {0};
    const dl_dataset *set = s->data.part[part].dataset;
    assert_int_equal(dl_shape_size(set->schema.input), size);
    assert_int_equal(set->type->read(set, i, found, &class, &error), 0);
    assert_true(class == y);
    for (int k = 0; k < size; k++)
        if (found[k] != x[k])
            fail_msg("row %d, number %d: %g, not %g", (int)i, k, (double)found[k], (double)x[k]);
}

#define ROW(s, i, y, ...)                                                                          \
    has_row(s, DL_TRAIN, i, (const float[]){__VA_ARGS__},                                          \
            (int)(sizeof((const float[]){__VA_ARGS__}) / sizeof(float)), y)

/* ---- rows that are decoded on demand ---- */

typedef struct {
    const dl_dataset *set, *like;
    int64_t first, step;
    bool same;
} row_reader;

static inline void *compare_rows(void *argument) {
    row_reader *r = argument;
    size_t size = sizeof(float) * (size_t)dl_shape_size(r->set->schema.input);
    size_t outputs = sizeof(float) * (size_t)r->set->schema.outputs;
    char *room = xcalloc(1, 2 * (size + outputs));
    float *x = (float *)room, *y = (float *)(room + size);
    float *other_x = (float *)(room + size + outputs), *other_y = other_x + size / sizeof(float);
    dl_error error = {0};
    for (int64_t k = 0; k < r->set->count; k++) {
        int64_t i = (r->first + k * r->step) % r->set->count;
        if (r->set->type->read(r->set, i, x, y, &error) ||
            r->like->type->read(r->like, i, other_x, other_y, &error) ||
            memcmp(x, other_x, size) != 0 || memcmp(y, other_y, outputs) != 0)
            r->same = false;
    }
    dl_error_clear(&error);
    free(room);
    return NULL;
}

/* The training files' rows are those of `like`, read by several threads, each in another order. */
static inline void same_rows(const section *s, const section *like) {
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    row_reader reader[THREADS];
    assert_true(s->set->count > 0 && s->set->count == like->set->count);
    for (int t = 0; t < THREADS; t++) {
        int64_t step = t % 2 ? s->set->count - 1 : 1; /* backwards */
        reader[t] = (row_reader){s->set, like->set, t * s->set->count / THREADS, step, true};
        assert_int_equal(pthread_create(&thread[t], NULL, compare_rows, &reader[t]), 0);
    }
    for (int t = 0; t < THREADS; t++) {
        pthread_join(thread[t], NULL);
        assert_true(reader[t].same);
    }
}

/* Row i of the training files cannot be read, for what the words say; its target alone can be. */
static inline void row_is_gone(const section *s, int64_t i, const char *words) {
    float x[64], y[64];
    dl_error error = {0};
    assert_int_equal(s->set->type->read(s->set, i, NULL, y, &error), 0);
    assert_int_equal(s->set->type->read(s->set, i, x, y, &error), -1);
    assert_int_equal(error.code, DL_DATA);
    if (!strstr(dl_text_get(&error.text), words))
        fail_msg("\"%s\" is not in: %s", words, dl_text_get(&error.text));
    dl_error_clear(&error);
}

#endif
