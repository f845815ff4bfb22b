/* SPDX-License-Identifier: MIT */
/* The data formats. A new one is a file and a line in the list. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "formats/dataset.h"

#define FORMATS(X)                                                                                 \
    X(csv)                                                                                         \
    X(idx)                                                                                         \
    X(cifar)                                                                                       \
    X(image_folder)                                                                                \
    X(image_list)                                                                                  \
    X(image_tar)                                                                                   \
    X(npy)                                                                                         \
    X(npz)                                                                                         \
    X(random)                                                                                      \
    X(text)

#define DECLARE(name) extern const dl_dataset_type dl_dataset_##name;
FORMATS(DECLARE)

#define ADDRESS(name) &dl_dataset_##name.kind,
static const dl_kind *const formats[] = {FORMATS(ADDRESS)};

const dl_registry dl_dataset_registry = {
    .what = "data format",
    .plural = "data formats",
    .key = "format",
    .count = sizeof formats / sizeof *formats,
    .kinds = formats,
};

static void subtract(const double *values, const double *origin, int64_t count, float *out) {
    for (int64_t k = 0; k < count; k++)
        out[k] = (float)(values[k] - origin[k]);
}

int dl_dataset_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const dl_schema *schema = &dataset->schema;
    bool far_x = x && dataset->input_doubles && schema->input_origin;
    bool far_y = y && dataset->target_doubles && schema->target_origin;
    if ((x && !far_x) || (y && !far_y)) {
        int result = dataset->type->read(dataset, i, far_x ? NULL : x, far_y ? NULL : y, error);
        if (result || !(far_x || far_y))
            return result;
    }
    int64_t inputs = far_x ? dl_shape_size(schema->input) : 0;
    int64_t outputs = far_y ? schema->outputs : 0;
    double *values = xmalloc(sizeof *values * (size_t)(inputs + outputs));
    dataset->type->read_doubles(dataset, i, far_x ? values : NULL, far_y ? values + inputs : NULL);
    subtract(values, schema->input_origin, inputs, x);
    subtract(values + inputs, schema->target_origin, outputs, y);
    free(values);
    return 0;
}

/* Datasets of scripts/get_data.sh. */
static const char *const public_sets[] = {
    "mnist", "fashion_mnist", "cifar10", "iris", "car", "concrete", "tinyshakespeare",
};

/* The public dataset that is the first such component of the path `name`; NULL: none. */
static const char *public_set(const char *name) {
    for (const char *part = name; *part;) {
        size_t length = strcspn(part, "/");
        for (size_t i = 0; i < sizeof public_sets / sizeof *public_sets; i++)
            if (part[length] && strlen(public_sets[i]) == length &&
                !strncmp(part, public_sets[i], length))
                return public_sets[i];
        part += length + (part[length] == '/');
    }
    return NULL;
}

int dl_dataset_fits(const dl_dataset *dataset, const char *path, double bytes, const char *advice,
                    dl_error *error) {
    char need[32], most[32];
    if (dataset->memory_most <= 0 || bytes <= (double)dataset->memory_most)
        return 0;
    return dl_fail(error, DL_DATA,
                   "%s: needs %s of memory, but the limit is %s (data.memory_limit); the format "
                   "\"%s\" cannot be read on demand%s%s",
                   path, dl_text_bytes(need, bytes),
                   dl_text_bytes(most, (double)dataset->memory_most), dataset->type->kind.name,
                   advice ? ": " : "", advice ? advice : "");
}

char *dl_dataset_find(const dl_dataset *dataset, const char *name, dl_error *error) {
    char *path = dl_path_find_data(name, dataset->config, dataset->folders);
    if (path)
        return path;
    const char *set = public_set(name);
    dl_text message = {0};
    if (dataset->where)
        dl_text_add(&message, "%s: ", dataset->where);
    dl_text_add(&message, "%s: not found", *name ? name : "a file without a name");
    if (name[0] != '/')
        dl_text_add(&message, " (looked in " DL_DATA_FOLDERS ")");
    if (set)
        dl_text_add(&message, "; scripts/get_data.sh %s gets it", set);
    dl_fail(error, DL_DATA, "%s", dl_text_get(&message));
    dl_text_free(&message);
    return NULL;
}

void dl_sources_add(dl_sources *s, const char *name, int64_t first) {
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 16;
        s->name = xrealloc(s->name, sizeof *s->name * (size_t)s->room);
        s->first = xrealloc(s->first, sizeof *s->first * (size_t)s->room);
    }
    s->name[s->count] = xstrdup(name);
    s->first[s->count++] = first;
}

void dl_sources_free(dl_sources *s) {
    for (int64_t i = 0; i < s->count; i++)
        free(s->name[i]);
    free(s->name);
    free(s->first);
    free(s->line);
    *s = (dl_sources){0};
}

void dl_dataset_add_source(const dl_dataset *dataset, int64_t row, dl_text *text) {
    const dl_sources *s = &dataset->sources;
    int64_t i = s->single ? row : s->count - 1;
    while (i > 0 && !s->single && s->first[i] > row)
        i--;
    if (i < 0 || i >= s->count)
        dl_text_add(text, "row %lld", (long long)row);
    else if (s->single)
        dl_text_add(text, "%s", s->name[i]);
    else if (s->line)
        dl_text_add(text, "%s:%lld", s->name[i], (long long)s->line[row]);
    else
        dl_text_add(text, "%s[%lld]", s->name[i], (long long)(row - s->first[i]));
}
