/* SPDX-License-Identifier: MIT */
/* The formats of data sets. An input's first byte chooses the options: its lower bits a line of the
   target's table, its highest one that the same files are the validation part, too. The rest is
   the file; of two files, the first ends where the words "|2nd|" stand. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "data/data.h"
#include "fuzz.h"
#include "image/image.h"

static const char MIDDLE[] = "|2nd|";
enum { MOST_ROWS = 64, MOST_NUMBERS = 1 << 22 };

/* Every number is finite, and a class one of the schema's. */
static void check_row(const dl_schema *schema, const float *x, int64_t size, const float *y) {
    for (int64_t k = 0; k < size; k++)
        if (!isfinite(x[k]))
            fuzz_finding("an input that is not finite", NULL);
    for (int k = 0; k < schema->outputs; k++)
        if (!isfinite(y[k]) || (schema->classes && (y[k] < 0 || y[k] >= (float)schema->classes ||
                                                    y[k] != floorf(y[k]))))
            fuzz_finding("a target that is none", NULL);
}

/* The first, the last and some rows. */
static void read_rows(const dl_dataset *dataset) {
    const dl_schema *schema = &dataset->schema;
    int64_t size = dl_shape_size(schema->input), step = 1 + dataset->count / MOST_ROWS;
    if (size < 1 || schema->outputs < 1 || size > MOST_NUMBERS || schema->outputs > MOST_NUMBERS)
        return;
    float *x = xmalloc(sizeof *x * (size_t)size);
    float *y = xmalloc(sizeof *y * (size_t)schema->outputs);
    dl_error error = {0};
    for (int64_t i = 0; i < dataset->count; i += step) {
        int64_t row = i + step >= dataset->count ? dataset->count - 1 : i;
        int result = dataset->type->read(dataset, row, x, y, &error);
        if (!result)
            check_row(schema, x, size, y);
        if (!result && dataset->type->prefetch)
            dataset->type->prefetch(dataset, row);
        fuzz_check(result, &error);
    }
    free(x);
    free(y);
}

/* `data = { text }` is opened, read and closed. */
static void open_section(const char *text) {
    dl_config config = {0};
    dl_data data = {0};
    dl_error error = {0};
    if (dl_config_parse(&config, "c.cfg", text, &error) || dl_data_read(&data, &config, &error))
        fuzz_finding("the target's own config", &error);
    int result = dl_data_open(&data, &error);
    for (int part = 0; part < DL_SPLITS && !result; part++)
        if (data.dataset[part].type)
            read_rows(&data.dataset[part]);
    fuzz_check(result, &error);
    dl_data_free(&data);
    dl_config_free(&config);
}

/* What a target's section is made of. */
typedef struct {
    const char *format;
    const char *files[2][2];    /* keys and names of what the input has; "" if there is no second */
    const char *extra;          /* more of the part's group */
    const char *const *options; /* ends with NULL */
} recipe;

static void add_group(dl_text *text, const recipe *r) {
    dl_text_add(text, "{ %s ", r->extra);
    for (int i = 0; i < 2 && *r->files[i][0]; i++) {
        char *path = fuzz_path(r->files[i][1]);
        bool list = !strcmp(r->files[i][0], "files");
        dl_text_add(text, list ? "%s = [\"%s\"]; " : "%s = \"%s\"; ", r->files[i][0], path);
        free(path);
    }
    dl_text_add(text, "};");
}

static void save_files(const recipe *r, const uint8_t *bytes, size_t count) {
    size_t length = sizeof MIDDLE - 1;
    const uint8_t *middle = *r->files[1][0] ? memmem(bytes, count, MIDDLE, length) : NULL;
    size_t first = middle ? (size_t)(middle - bytes) : count;
    fuzz_save(r->files[0][1], bytes, first);
    if (middle)
        fuzz_save(r->files[1][1], middle + length, count - first - length);
    else if (*r->files[1][0])
        fuzz_save(r->files[1][1], "", 0);
}

static void run(const recipe *r, const uint8_t *input, size_t count) {
    if (!count)
        return;
    int lines = 0, chosen = input[0] & 127;
    while (r->options[lines])
        lines++;
    save_files(r, input + 1, count - 1);
    dl_text text = {0};
    dl_text_add(&text, "data = { format = \"%s\"; train = ", r->format);
    add_group(&text, r);
    if (input[0] & 128) {
        dl_text_add(&text, " validation = ");
        add_group(&text, r);
    }
    dl_text_add(&text, " %s };", r->options[chosen % lines]);
    open_section(text.data);
    dl_text_free(&text);
}

#define OPTIONS(...)                                                                               \
    (const char *const[]) {                                                                        \
        __VA_ARGS__, NULL                                                                          \
    }

void fuzz_idx(const uint8_t *input, size_t count) {
    run(&(recipe){"idx",
                  {{"images", "images"}, {"labels", "labels"}},
                  "",
                  OPTIONS("", "classes = 10;", "normalize = \"mean_std\";",
                          "test = 0.3; normalize = \"scale\";",
                          "normalize = \"min_max\"; normalize_target = \"mean_std\";",
                          "predict = \"input\";", "memory_limit = 1;")},
        input, count);
}

void fuzz_csv(const uint8_t *input, size_t count) {
    run(&(recipe){"csv",
                  {{"file", "table.csv"}, {"", ""}},
                  "",
                  OPTIONS("", "header = false;", "delimiter = \";\"; header = false;",
                          "delimiter = \"tab\"; missing = \"mean\";", "missing = \"drop_row\";",
                          "target = 1; task = \"regression\";", "task = \"classification\";",
                          "header = false; categorical = [\"1\"]; missing = \"mean\";",
                          "header = false; ignore = [\"1\"]; missing = \"drop_row\";",
                          "header = false; group = 1; test = 0.4;",
                          "target = \"y\"; normalize = \"mean_std\"; missing = \"mean\";",
                          "header = false; task = \"regression\"; target_bins = 3;",
                          "header = false; test = 0.5; normalize_target = \"mean_std\"; "
                          "task = \"regression\"; normalize = \"min_max\";",
                          "header = false; dates = 1; missing = \"mean\";",
                          "dates = 1; date_order = \"mdy\"; unknown = \"ignore\";",
                          "header = false; weight = 2; test = 0.5;",
                          "header = false; target = (1, 2); normalize_target = \"mean_std\";",
                          "header = false; target = 1; task = \"classification\"; "
                          "merge = ( { into = \"m\"; classes = (1, 2, \"a\"); } );")},
        input, count);
}

void fuzz_cifar(const uint8_t *input, size_t count) {
    run(&(recipe){"cifar",
                  {{"files", "rows.bin"}, {"", ""}},
                  "",
                  OPTIONS("", "labels = \"coarse\";",
                          "labels = \"fine\"; normalize = \"mean_std\";", "test = 0.5;",
                          "labels = \"coarse\"; memory_limit = 1;")},
        input, count);
}

void fuzz_npy(const uint8_t *input, size_t count) {
    run(&(recipe){"npy",
                  {{"inputs", "x.npy"}, {"targets", "y.npy"}},
                  "",
                  OPTIONS("", "classes = 10;", "normalize = \"mean_std\";", "test = 0.3;",
                          "normalize = \"min_max\"; normalize_target = \"mean_std\";",
                          "memory_limit = 1;")},
        input, count);
}

void fuzz_npz(const uint8_t *input, size_t count) {
    run(&(recipe){"npz",
                  {{"file", "arrays.npz"}, {"", ""}},
                  "inputs = \"x\"; targets = \"y\";",
                  OPTIONS("", "classes = 10;", "normalize = \"mean_std\";", "test = 0.3;",
                          "memory_limit = 1;")},
        input, count);
}

void fuzz_text(const uint8_t *input, size_t count) {
    run(&(recipe){"text",
                  {{"file", "text"}, {"", ""}},
                  "",
                  OPTIONS("length = 1;", "length = 2; unit = \"byte\";",
                          "length = 2; unit = \"word\";",
                          "length = 3; unit = \"word\"; lower_case = true; most_words = 3; "
                          "encoding = \"number\";",
                          "length = 4; encoding = \"number\"; test = 0.5;",
                          "length = 2; unit = \"word\"; encoding = \"number\"; test = 0.5;")},
        input, count);
}

void fuzz_image_tar(const uint8_t *input, size_t count) {
    run(&(recipe){"image_tar",
                  {{"file", "pictures.tar"}, {"", ""}},
                  "",
                  OPTIONS("", "size = 4;", "size = [3, 5]; resize = \"fit\"; channels = \"gray\";",
                          "size = 2; resize = \"crop\"; test = 0.5;", "memory_limit = 1;")},
        input, count);
}

/* Pictures that a list can name: colour.png, 4 rows of 3 pixels; mask.pgm, with classes 0 and 1. */
static void save_pictures(void) {
    static bool done;
    unsigned char pixels[4 * 3 * 3];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)(37 * i);
    if (done)
        return;
    int size;
    unsigned char *bytes = dl_image_encode(pixels, 4, 3, 3, &size);
    fuzz_save("colour.png", bytes, (size_t)size);
    free(bytes);
    static const char mask[] = "P5 3 4 255\n\0\1\0\1\0\1\0\1\0\1\0\1";
    fuzz_save("mask.pgm", mask, sizeof mask - 1);
    done = true;
}

void fuzz_image_list(const uint8_t *input, size_t count) {
    save_pictures();
    run(&(recipe){"image_list",
                  {{"file", "list.csv"}, {"", ""}},
                  "",
                  OPTIONS("size = 4;", "header = false; size = 4;",
                          "header = false; delimiter = \"tab\"; task = \"classification\";",
                          "task = \"regression\"; channels = \"gray\";",
                          "header = false; task = \"mask\";", "task = \"mask\"; classes = 2;",
                          "header = false; task = \"picture\"; size = [2, 3]; resize = \"crop\";",
                          "path = \"2\"; header = false; target = [\"1\"]; test = 0.5;",
                          "delimiter = \";\"; memory_limit = 1;")},
        input, count);
}
