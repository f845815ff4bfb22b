/* What the tests of the formats of pictures share: small files, and looking at rows. */
#ifndef TESTS_PICTURE_HARNESS_H
#define TESTS_PICTURE_HARNESS_H

#include "data_harness.h"

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

#endif
