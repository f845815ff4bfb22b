/* SPDX-License-Identifier: MIT */
/* Images named by a CSV file (RFC 4180) with a column of paths, relative to its folder, and one or
   more target columns: a class, numbers, or the path of another image, which is a mask (a class per
   pixel) or the target image. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/pictures.h"

enum { AUTO, CLASSIFICATION, REGRESSION, MASK, PICTURE };
enum { MAX_ERRORS = 10, MAX_INTEGERS = 20, MAX_OUTPUTS = 1 << 20 };

static const char *const task_choices[] = {"auto", "classification", "regression",
                                           "mask", "picture",        NULL};

typedef struct {
    const char *file, *delimiter, *path;
    dl_strings target;
    bool header;
    int task;
    int64_t classes;
    dl_picture_options pictures;
} list_options;

static const dl_option options[] = {
    DL_STRING_OPTION(
        "file", list_options, file, DL_REQUIRED,
        "CSV file, plain or gzip, with one image per line. Paths are relative to its folder"),
    DL_STRING_OPTION("delimiter", list_options, delimiter, ",",
                     "delimiter, one character or \"tab\""),
    DL_BOOL_OPTION("header", list_options, header, "true",
                   "the first line has column names; else the columns are named 1, 2, 3, …"),
    DL_NAME_OPTION("path", list_options, path, "1",
                   "column of the image paths, by name or number from 1"),
    DL_STRINGS_OPTION("target", list_options, target, DL_NO_DEFAULT,
                      "target columns, by name or number: one of classes, numbers or paths, or "
                      "several of numbers (such as a box); default: all except `path`"),
    DL_CHOICE_OPTION("task", list_options, task, "auto", task_choices,
                     "type of the target: classification (distinct values are the classes), "
                     "regression (numbers), mask (path of a gray image whose values are the "
                     "classes of the pixels, from 0) or picture (path of an image whose values, 0 "
                     "to 255, are the targets); auto is regression for several columns, and for "
                     "one column classification if it has text or at most 20 distinct integers"),
    DL_INT_OPTION("classes", list_options, classes, DL_NO_DEFAULT, 2, 256,
                  "number of classes of masks; default: one more than the largest value of the "
                  "training masks"),
    DL_PICTURE_OPTIONS(list_options),
    DL_OPTIONS_END,
};

typedef struct {
    dl_pictures inputs, targets; /* targets: masks and images */
    double *y;                   /* [count][outputs]: classes or numbers; owned */
    int outputs;
} list_state;

/* The parsed CSV file. */
typedef struct {
    const dl_dataset *dataset;
    const list_options *options;
    const dl_schema *like;                  /* or NULL */
    int task;                               /* resolved */
    char *path, *folder;                    /* of the CSV file; owned */
    char **name;                            /* [columns]: owned */
    int columns, picture, *target, targets; /* target[targets]: columns */
    char **input;                           /* [count]: paths; owned */
    char **field;                           /* [count][targets], owned */
    int64_t *line;                          /* [count] */
    int64_t count, capacity;
} list;

/* ---- the table ---- */

/* The column of an option, or -1 and an error. */
static int resolve(const list *l, const char *option, const char *name, dl_error *error) {
    for (int i = 0; i < l->columns; i++)
        if (!strcmp(l->name[i], name))
            return i;
    char *end;
    long number = strtol(name, &end, 10);
    if (*name && !*end && number >= 1 && number <= l->columns)
        return (int)number - 1;
    const char *const *names = (const char *const *)l->name;
    const char *nearest = *name && !*end ? NULL : dl_text_nearest(name, names, l->columns);
    return dl_fail(error, DL_DATA, "%s: %s: %s has no column \"%s\" (%s%s%s)", l->dataset->where,
                   option, l->path, name, nearest ? "did you mean \"" : "its first is \"",
                   nearest ? nearest : l->name[0], nearest ? "\"?" : "\"");
}

static int read_columns(list *l, const dl_csv_reader *csv, dl_error *error) {
    const dl_strings *wanted = &l->options->target;
    char number[16];
    int before = error->count;
    l->columns = csv->fields;
    l->name = xcalloc((size_t)l->columns, sizeof *l->name);
    l->target = xcalloc((size_t)(l->columns + wanted->count), sizeof *l->target);
    for (int i = 0; i < l->columns; i++) {
        snprintf(number, sizeof number, "%d", i + 1);
        l->name[i] = xstrdup(l->options->header && csv->field[i][0] ? csv->field[i] : number);
    }
    l->picture = resolve(l, "path", l->options->path, error);
    for (int i = 0; i < wanted->count; i++)
        l->target[l->targets++] = resolve(l, "target", wanted->items[i], error);
    for (int i = 0; i < l->columns && !wanted->count; i++)
        if (i != l->picture)
            l->target[l->targets++] = i;
    if (error->count > before)
        return -1;
    if (!l->targets)
        return dl_fail(error, DL_DATA,
                       "%s: has no column besides the paths, \"%s\" (is the delimiter not '%s'?)",
                       l->path, l->name[l->picture], l->options->delimiter);
    for (int i = 0; i < l->targets; i++)
        if (l->target[i] == l->picture)
            return dl_fail(error, DL_DATA, "%s: column \"%s\" cannot be both path and target",
                           l->path, l->name[l->picture]);
    return 0;
}

static int read_row(list *l, const dl_csv_reader *csv, dl_error *error) {
    if (csv->fields != l->columns)
        return dl_fail(error, DL_DATA, "%s:%lld: has %d field%s, but %s has %d", l->path,
                       (long long)csv->line, csv->fields, csv->fields == 1 ? "" : "s",
                       l->options->header ? "the header" : "the first row", l->columns);
    for (int k = -1; k < l->targets; k++) {
        int column = k < 0 ? l->picture : l->target[k];
        const char *field = csv->field[column];
        bool missing = k >= 0 && (dl_csv_missing(field) == DL_CSV_MISSING || !strcmp(field, "NA"));
        if (!field[0] || missing)
            return dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": the value is missing", l->path,
                           (long long)csv->line, l->name[column]);
    }
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 256;
        l->input = xrealloc(l->input, sizeof *l->input * (size_t)l->capacity);
        l->line = xrealloc(l->line, sizeof *l->line * (size_t)l->capacity);
        l->field = xrealloc(l->field, sizeof *l->field * (size_t)(l->capacity * l->targets));
    }
    l->input[l->count] = dl_path_join(l->folder, csv->field[l->picture]);
    for (int k = 0; k < l->targets; k++)
        l->field[l->count * l->targets + k] = xstrdup(csv->field[l->target[k]]);
    l->line[l->count++] = csv->line;
    return 0;
}

static int read_rows(list *l, dl_csv_reader *csv, dl_error *error) {
    int got = dl_csv_next(csv, error), before = error->count;
    if (got <= 0)
        return got < 0 ? -1 : dl_fail(error, DL_DATA, "%s: is empty", l->path);
    if (read_columns(l, csv, error))
        return -1;
    if (l->options->header)
        got = dl_csv_next(csv, error);
    for (; got > 0 && error->count < before + MAX_ERRORS; got = dl_csv_next(csv, error))
        read_row(l, csv, error);
    if (got < 0 || error->count > before)
        return -1;
    return l->count ? 0
                    : dl_fail(error, DL_DATA, "%s: has no rows%s", l->path,
                              l->options->header ? " below the header" : "");
}

static int read_list(list *l, dl_error *error) {
    const char *text = l->options->delimiter;
    text = !strcmp(text, "tab") || !strcmp(text, "\\t") ? "\t" : text;
    if (!text[0] || text[1] || strchr("\"\r\n", text[0]))
        return dl_fail(error, DL_DATA,
                       "%s: delimiter: must be one character (not a quote or a newline) or "
                       "\"tab\", not \"%s\"",
                       l->dataset->where, text);
    l->path = dl_dataset_find(l->dataset, l->options->file, error);
    if (!l->path)
        return -1;
    l->folder = xstrdup(l->path);
    l->folder[dl_path_base(l->path) - l->path] = '\0';
    dl_csv_reader csv = {0};
    int result = dl_csv_open(&csv, l->path, text[0], error);
    if (!result)
        result = read_rows(l, &csv, error);
    dl_csv_close(&csv);
    return result;
}

static void free_list(list *l) {
    for (int i = 0; i < l->columns; i++)
        free(l->name[i]);
    for (int64_t i = 0; i < l->count; i++)
        free(l->input[i]);
    for (int64_t i = 0; i < l->count * l->targets; i++)
        free(l->field[i]);
    free(l->name);
    free(l->target);
    free(l->input);
    free(l->field);
    free(l->line);
    free(l->folder);
    free(l->path);
}

/* ---- classes and numbers ---- */

/* Resolves task = "auto". */
static int decide_task(list *l, dl_error *error) {
    bool words = false, paths = true, integers = true, many = false;
    dl_string_set names = {0};
    double value;
    l->task = l->options->task;
    for (int64_t i = 0; i < l->count && l->targets == 1; i++) {
        words |= dl_csv_number(l->field[i], &value) == DL_CSV_TEXT;
        paths &= dl_image_is_named(l->field[i]);
        if (!many)
            dl_string_set_add(&names, l->field[i]);
        many |= names.count > MAX_INTEGERS;
    }
    integers = dl_csv_are_whole(&names);
    dl_string_set_free(&names);
    if (l->task != AUTO && l->task != REGRESSION && l->targets > 1)
        return dl_fail(error, DL_DATA, "%s: task = \"%s\" is for one target column, not %d",
                       l->dataset->where, task_choices[l->task], l->targets);
    if (l->task != AUTO)
        return 0;
    if (l->targets == 1 && paths)
        return dl_fail(
            error, DL_DATA,
            "%s: column \"%s\" of %s has paths of images: set task to \"mask\" or \"picture\"",
            l->dataset->where, l->name[l->target[0]], l->path);
    if (l->like)
        l->task = l->like->classes && l->targets == 1 ? CLASSIFICATION : REGRESSION;
    else
        l->task = l->targets == 1 && (words || (integers && !many)) ? CLASSIFICATION : REGRESSION;
    return 0;
}

static int set_numbers(const list *l, dl_dataset *dataset, dl_error *error) {
    list_state *state = dataset->state;
    int before = error->count;
    char quoted[64];
    for (int64_t i = 0; i < l->count * l->targets && error->count < before + MAX_ERRORS; i++) {
        dl_csv_type type = dl_csv_number(l->field[i], &state->y[i]);
        if (type != DL_CSV_NUMBER)
            dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": \"%s\" is not a %snumber", l->path,
                    (long long)l->line[i / l->targets], l->name[l->target[i % l->targets]],
                    dl_csv_quote(quoted, l->field[i]), type == DL_CSV_INFINITE ? "finite " : "");
    }
    return error->count > before ? -1 : 0;
}

/* Class names of training, or all that occur. */
static int name_classes(const list *l, dl_string_set *names, dl_schema *schema, dl_error *error) {
    char number[16];
    for (int c = 0; l->like && c < l->like->classes; c++)
        dl_string_set_add(names, dl_schema_class(l->like, c, number));
    for (int64_t i = 0; i < l->count && !l->like; i++) {
        if (!dl_text_is_utf8(l->field[i]))
            return dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": the text is not UTF-8", l->path,
                           (long long)l->line[i], l->name[l->target[0]]);
        dl_string_set_add(names, l->field[i]);
        if (names->count > DL_CSV_MOST_CATEGORIES * 100)
            return dl_fail(error, DL_DATA, "%s: column \"%s\" has more than %d classes", l->path,
                           l->name[l->target[0]], DL_CSV_MOST_CATEGORIES * 100);
    }
    if (l->like)
        return 0;
    dl_csv_sort_classes(names);
    schema->classes = names->count;
    schema->class_names = xcalloc((size_t)names->count, sizeof *schema->class_names);
    for (int c = 0; c < names->count; c++)
        schema->class_names[c] = xstrdup(names->name[c]);
    return 0;
}

static int set_classes(const list *l, dl_dataset *dataset, dl_error *error) {
    list_state *state = dataset->state;
    dl_string_set names = {0};
    int before = error->count;
    if (name_classes(l, &names, &dataset->schema, error)) {
        dl_string_set_free(&names);
        return -1;
    }
    for (int64_t i = 0; i < l->count && error->count < before + MAX_ERRORS; i++) {
        int class = dl_csv_find_class(&names, l->field[i]);
        state->y[i] = class;
        if (class >= 0)
            continue;
        char quoted[64];
        const char *nearest =
            dl_text_nearest(l->field[i], (const char *const *)names.name, names.count);
        dl_fail(error, DL_DATA,
                "%s:%lld: column \"%s\": the training data has no class \"%s\"%s%s%s", l->path,
                (long long)l->line[i], l->name[l->target[0]], dl_csv_quote(quoted, l->field[i]),
                nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
    }
    dl_string_set_free(&names);
    return error->count > before ? -1 : 0;
}

/* ---- pictures ---- */

/* `folder`: of relative paths, or NULL. */
static int add_pictures(dl_pictures *pictures, char **paths, int64_t count, const char *folder,
                        dl_error *error) {
    dl_picture_source sources[DL_PICTURES_PIECE];
    char *joined[DL_PICTURES_PIECE];
    int result = 0;
    dl_pictures_open_cache(pictures, &(dl_cache_files){paths, count, folder});
    for (int64_t done = 0; done < count && !result; done += DL_PICTURES_PIECE) {
        int chunk = 0;
        for (; chunk < DL_PICTURES_PIECE && done + chunk < count; chunk++) {
            joined[chunk] = folder ? dl_path_join(folder, paths[done + chunk]) : NULL;
            const char *path = folder ? joined[chunk] : paths[done + chunk];
            sources[chunk] = (dl_picture_source){.name = path, .path = path};
        }
        result = dl_pictures_add(pictures, sources, chunk, error);
        for (int i = 0; i < chunk; i++)
            free(joined[i]);
    }
    return result;
}

static int set_mask_classes(const list *l, dl_dataset *dataset, dl_error *error) {
    const dl_pictures *masks = &((list_state *)dataset->state)->targets;
    int classes = l->like ? l->like->classes : (int)l->options->classes, largest = 1;
    for (int64_t i = 0; i < masks->count; i++) {
        int value = masks->largest[i];
        largest = value > largest ? value : largest;
        if (classes && value >= classes)
            return dl_fail(error, DL_DATA,
                           "%s:%lld: column \"%s\": mask %s has a pixel of class %d, but there are "
                           "%d classes, 0 to %d",
                           l->path, (long long)l->line[i], l->name[l->target[0]], l->field[i],
                           value, classes, classes - 1);
    }
    dataset->schema.classes = classes ? classes : largest + 1;
    return 0;
}

/* Inputs may use the memory that the targets left. */
static void begin_inputs(const list *l, const dl_dataset *dataset) {
    list_state *state = dataset->state;
    const dl_pictures *targets = &state->targets;
    dl_pictures_begin(&state->inputs, dataset, &l->options->pictures, false, l->path);
    if (state->inputs.memory > 0 && targets->pixels)
        state->inputs.memory -= targets->count * targets->size;
    if (dataset->memory > 0 && state->inputs.memory < 1)
        state->inputs.memory = 1;
}

/* ---- the format ---- */

static int set_targets(const list *l, dl_dataset *dataset, dl_error *error) {
    list_state *state = dataset->state;
    state->outputs = l->targets;
    if (l->task == CLASSIFICATION || l->task == REGRESSION) {
        state->y = xcalloc((size_t)(l->count * l->targets), sizeof *state->y);
        dataset->schema.outputs = l->targets;
        return l->task == REGRESSION ? set_numbers(l, dataset, error)
                                     : set_classes(l, dataset, error);
    }
    dl_pictures_begin(&state->targets, dataset, &l->options->pictures, l->task == MASK, l->path);
    if (add_pictures(&state->targets, l->field, l->count, l->folder, error) ||
        dl_pictures_finish(&state->targets, error))
        return -1;
    if (state->targets.size > MAX_OUTPUTS)
        return dl_fail(error, DL_DATA, "%s: a target of %lld numbers; at most %d are supported",
                       l->path, (long long)state->targets.size, MAX_OUTPUTS);
    dataset->schema.outputs = state->outputs = (int)state->targets.size;
    return l->task == MASK ? set_mask_classes(l, dataset, error) : 0;
}

static int check_like(const list *l, const dl_dataset *dataset, dl_error *error) {
    char own[48], theirs[48];
    const dl_schema *schema = &dataset->schema, *like = l->like;
    if (!dl_shape_equal(schema->input, like->input))
        return dl_fail(error, DL_DATA, "%s: images are %s, but in training they are %s", l->path,
                       dl_shape_text(own, schema->input), dl_shape_text(theirs, like->input));
    if (schema->outputs != like->outputs)
        return dl_fail(error, DL_DATA, "%s: has %d targets per row, but in training there are %d",
                       l->path, schema->outputs, like->outputs);
    return 0;
}

static int open_list(dl_dataset *dataset, list *l, dl_error *error) {
    list_state *state = dataset->state;
    if (read_list(l, error) || decide_task(l, error))
        return -1;
    bool classes = l->task == CLASSIFICATION || l->task == MASK;
    if (l->like && classes != (l->like->classes > 0))
        return dl_fail(error, DL_DATA, "%s: targets are %s, but in training they are %s", l->path,
                       classes ? "classes" : "numbers", classes ? "numbers" : "classes");
    int failed = set_targets(l, dataset, error);
    begin_inputs(l, dataset);
    for (int64_t i = 0; i < l->count; i++)
        dl_sources_add(&dataset->sources, l->input[i], i);
    dataset->sources.single = true;
    if (add_pictures(&state->inputs, l->input, l->count, NULL, error) ||
        dl_pictures_finish(&state->inputs, error) || failed)
        return -1;
    dataset->schema.input = state->inputs.form.shape;
    dataset->count = l->count;
    dataset->bytes = true;
    dataset->target_doubles = l->task == REGRESSION;
    dataset->slow = state->inputs.on_demand;
    if (!l->like)
        return 0;
    if (check_like(l, dataset, error))
        return -1;
    dl_schema_free(&dataset->schema);
    dataset->schema = dl_schema_copy(l->like);
    return 0;
}

static int list_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    list l = {.dataset = dataset, .options = dataset->options, .like = like};
    dataset->state = xcalloc(1, sizeof(list_state));
    int result = open_list(dataset, &l, error);
    free_list(&l);
    return result;
}

static int list_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const list_state *state = dataset->state;
    if (x && dl_pictures_read(&state->inputs, i, x, error))
        return -1;
    for (int k = 0; y && state->y && k < state->outputs; k++)
        y[k] = (float)state->y[i * state->outputs + k];
    return y && !state->y ? dl_pictures_read(&state->targets, i, y, error) : 0;
}

static void list_read_doubles(const dl_dataset *dataset, int64_t i, double *x, double *y) {
    const list_state *state = dataset->state;
    (void)x; /* pixels are bytes */
    memcpy(y, state->y + i * state->outputs, sizeof *y * (size_t)state->outputs);
}

static void list_prefetch(const dl_dataset *dataset, int64_t i) {
    const list_state *state = dataset->state;
    dl_pictures_prefetch(&state->inputs, i);
}

static void list_close(dl_dataset *dataset) {
    list_state *state = dataset->state;
    dl_sources_free(&dataset->sources);
    if (!state)
        return;
    dl_pictures_free(&state->inputs);
    dl_pictures_free(&state->targets);
    free(state->y);
    free(state);
    dataset->state = NULL;
}

extern const dl_dataset_type dl_dataset_image_list;
const dl_dataset_type dl_dataset_image_list = {
    .kind = {.name = "image_list",
             .help = "images (PNG, JPEG, BMP, GIF, TGA, PNM) listed in a CSV file with their "
                     "classes, numbers, masks or target images",
             .size = sizeof(list_options),
             .options = options},
    .open = list_open,
    .read = list_read,
    .read_doubles = list_read_doubles,
    .prefetch = list_prefetch,
    .close = list_close,
};
