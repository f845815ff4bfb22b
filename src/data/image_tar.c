/* Pictures in a tar archive, plain or gzip, one folder a class: `…/class/name.jpg`. The archive is
   read once, from the front, without unpacking it; the pictures are kept as bytes. Where they do
   not fit into the memory that they may take, only their places in the archive are kept, and each
   is read and decoded when it is wanted; all have been decoded once by then. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/image.h"

enum { RECORD = 512, MOST_CLASSES = 100000, MOST_TOLD = 10, MOST_MEMBER = 1 << 28 };

typedef struct {
    const char *file;
    int channels;
} tar_options;

static const char *const channel_words[] = {"grey", "color", NULL};

static const dl_option options[] = {
    {"file", DL_STRING, offsetof(tar_options, file), NULL, 0, 0, NULL,
     "the archive, plain or gzip; a picture's class is the folder that it is in"},
    {"channels", DL_CHOICE, offsetof(tar_options, channels), "color", 0, 0, channel_words,
     "grey (one channel) or color (three), whatever the pictures have"},
    DL_OPTIONS_END,
};

/* Where the bytes of a picture's file are in the archive. */
typedef struct {
    int64_t offset, bytes;
} place;

typedef struct {
    unsigned char *pixels; /* [count][size], owned; NULL: they are decoded as needed */
    place *places;         /* [count], owned */
    int archive;           /* then the open file */
    char *path;            /* and its name; owned */
    int *classes;          /* [count], owned */
    int64_t size, room;
    bool on_demand;
} tar_state;

/* What is known while the archive is read. */
typedef struct {
    dl_dataset *dataset;
    dl_reader *reader;
    const char *path;
    char **names; /* of the classes, as they are met; owned */
    int name_count;
    int64_t bad;       /* pictures that cannot be read */
    dl_text bad_names; /* of the first ones */
} archive;

static int64_t octal(const char *digits, int count) {
    int64_t value = 0;
    for (int i = 0; i < count && digits[i]; i++)
        if (digits[i] >= '0' && digits[i] <= '7')
            value = value * 8 + digits[i] - '0';
    return value;
}

/* 1: a member follows, 0: the end, -1 and an error. */
static int read_header(archive *a, char record[RECORD], dl_error *error) {
    int64_t got = dl_reader_read(a->reader, record, RECORD, error);
    if (got < 0)
        return -1;
    unsigned sum = 8 * ' ';
    for (int i = 0; i < RECORD; i++)
        sum += i >= 148 && i < 156 ? 0 : (unsigned char)record[i];
    if (got == 0 || (got == RECORD && !record[0]))
        return 0;
    if (got == RECORD && sum == (unsigned)octal(record + 148, 8))
        return 1;
    return dl_fail(error, DL_DATA, "%s: offset %lld: this is no tar archive, or it is cut short",
                   a->path, (long long)(dl_reader_offset(a->reader) - got));
}

/* A member's bytes and the padding behind them; the caller frees them. */
static char *read_member(archive *a, int64_t size, dl_error *error) {
    int64_t padded = (size + RECORD - 1) / RECORD * RECORD;
    if (size > MOST_MEMBER) {
        dl_fail(error, DL_DATA, "%s: offset %lld: a member of %lld bytes is too large", a->path,
                (long long)dl_reader_offset(a->reader), (long long)size);
        return NULL;
    }
    char *bytes = xmalloc((size_t)padded + 1);
    int64_t got = dl_reader_read(a->reader, bytes, padded, error);
    bytes[size] = '\0';
    if (got >= size)
        return bytes;
    if (got >= 0)
        dl_fail(error, DL_DATA, "%s: offset %lld: the archive is cut short", a->path,
                (long long)dl_reader_offset(a->reader));
    free(bytes);
    return NULL;
}

/* The name of the folder that a path's last component is in; the caller frees it. NULL: none. */
static char *folder_of(const char *path) {
    const char *end = strrchr(path, '/'), *first = end;
    if (!end || end == path)
        return NULL;
    while (first > path && first[-1] != '/')
        first--;
    size_t length = (size_t)(end - first);
    char *name = memcpy(xmalloc(length + 1), first, length);
    name[length] = '\0';
    return name;
}

static int class_of(archive *a, char *folder) {
    for (int i = 0; i < a->name_count; i++)
        if (!strcmp(a->names[i], folder)) {
            free(folder);
            return i;
        }
    a->names = xrealloc(a->names, sizeof *a->names * (size_t)(a->name_count + 1));
    a->names[a->name_count] = folder;
    return a->name_count++;
}

static void note_bad(archive *a, const char *name, const char *why) {
    if (a->bad++ < MOST_TOLD)
        dl_text_add(&a->bad_names, "\n  %s (%s)", name, why);
}

/* Room for one more picture. From where their pixels take too much memory only places are kept. */
static int make_room(archive *a, dl_error *error) {
    const dl_dataset *dataset = a->dataset;
    tar_state *state = dataset->state;
    bool first = dataset->count == 0;
    double need = (double)(dataset->count + 1) * (double)state->size;
    if (dataset->memory > 0 && need > (double)dataset->memory && (state->pixels || first)) {
        if (!dl_reader_is_plain(a->reader))
            return dl_dataset_fits(dataset, a->path, need, "gunzip the archive, then it can",
                                   error);
        free(state->pixels);
        state->pixels = NULL;
        state->on_demand = true;
    }
    if (dataset->count < state->room)
        return 0;
    state->room = state->room ? 2 * state->room : 1024;
    if (!state->on_demand)
        state->pixels = xrealloc(state->pixels, (size_t)(state->room * state->size));
    state->classes = xrealloc(state->classes, sizeof(int) * (size_t)state->room);
    state->places = xrealloc(state->places, sizeof *state->places * (size_t)state->room);
    return 0;
}

static int add_picture(archive *a, const char *name, const unsigned char *pixels, int height,
                       int width, place at, dl_error *error) {
    dl_dataset *dataset = a->dataset;
    tar_state *state = dataset->state;
    int channels = 1 + 2 * ((const tar_options *)dataset->options)->channels;
    dl_shape *shape = &dataset->schema.input;
    if (!dataset->count) {
        *shape = dl_shape3(height, width, channels);
        state->size = dl_shape_size(*shape);
    }
    if (height != shape->dim[0] || width != shape->dim[1])
        return dl_fail(error, DL_DATA, "%s: %s has %dx%d pixels, the first picture has %dx%d",
                       a->path, name, height, width, shape->dim[0], shape->dim[1]);
    char *folder = folder_of(name);
    if (!folder)
        return dl_fail(error, DL_DATA, "%s: %s is in no folder, which would be its class", a->path,
                       name);
    if (make_room(a, error)) {
        free(folder);
        return -1;
    }
    if (state->pixels)
        memcpy(state->pixels + dataset->count * state->size, pixels, (size_t)state->size);
    state->places[dataset->count] = at;
    state->classes[dataset->count++] = class_of(a, folder);
    if (a->name_count > MOST_CLASSES)
        return dl_fail(error, DL_DATA, "%s: more than %d folders", a->path, MOST_CLASSES);
    return 0;
}

static int read_picture(archive *a, const char *name, const char *bytes, int64_t size,
                        int64_t offset, dl_error *error) {
    int channels = 1 + 2 * ((const tar_options *)a->dataset->options)->channels;
    int height, width;
    const char *why = NULL;
    unsigned char *pixels = dl_image_decode(bytes, size, channels, &height, &width, &why);
    if (!pixels) {
        note_bad(a, name, why);
        return 0;
    }
    place at = {offset, size};
    int result = add_picture(a, name, pixels, height, width, at, error);
    free(pixels);
    return result;
}

static int read_all(archive *a, dl_error *error) {
    char record[RECORD], *longer = NULL; /* a long name stands in a member before */
    int more;
    while ((more = read_header(a, record, error)) > 0) {
        char name[257];
        bool has_prefix = !memcmp(record + 257, "ustar", 5) && record[345];
        snprintf(name, sizeof name, "%.155s%s%.100s", has_prefix ? record + 345 : "",
                 has_prefix ? "/" : "", record);
        int64_t offset = dl_reader_offset(a->reader);
        char *bytes = read_member(a, octal(record + 124, 12), error);
        if (!bytes)
            break;
        int result = 0;
        if (record[156] == 'L') {
            free(longer);
            longer = bytes;
            continue;
        }
        const char *full = longer ? longer : name;
        if ((record[156] == '0' || !record[156]) && dl_image_is_named(full))
            result = read_picture(a, full, bytes, octal(record + 124, 12), offset, error);
        free(bytes);
        free(longer);
        longer = NULL;
        if (result)
            return -1;
    }
    free(longer);
    return more ? -1 : 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Classes are numbered by their names in order: those of this archive, or of the training's. */
static int number_classes(archive *a, const dl_schema *like, dl_error *error) {
    dl_schema *schema = &a->dataset->schema;
    tar_state *state = a->dataset->state;
    int count = like ? like->classes : a->name_count;
    char **sorted = xmalloc(sizeof *sorted * (size_t)(count ? count : 1));
    for (int i = 0; i < count; i++)
        sorted[i] = xstrdup(like ? like->class_names[i] : a->names[i]);
    if (!like)
        qsort(sorted, (size_t)count, sizeof *sorted, by_name);
    schema->class_names = sorted;
    schema->classes = count;
    schema->outputs = 1;
    int *number = xmalloc(sizeof *number * (size_t)(a->name_count ? a->name_count : 1));
    int result = 0;
    for (int i = 0; i < a->name_count; i++) {
        number[i] = 0;
        while (number[i] < count && strcmp(sorted[number[i]], a->names[i]))
            number[i]++;
        if (number[i] == count)
            result = dl_fail(error, DL_DATA, "%s: the class \"%s\" is not among those of training",
                             a->path, a->names[i]);
    }
    for (int64_t i = 0; i < a->dataset->count; i++)
        state->classes[i] = number[state->classes[i]];
    free(number);
    return result;
}

static int check(const archive *a, const dl_schema *like, dl_error *error) {
    const dl_shape *shape = &a->dataset->schema.input;
    char own[48], theirs[48];
    if (a->bad)
        return dl_fail(error, DL_DATA, "%s: %lld pictures cannot be read:%s%s", a->path,
                       (long long)a->bad, dl_text_get(&a->bad_names),
                       a->bad > MOST_TOLD ? "\n  …" : "");
    if (!a->dataset->count)
        return dl_fail(error, DL_DATA, "%s: there are no pictures in it", a->path);
    if (!like && a->name_count < 2)
        return dl_fail(error, DL_DATA, "%s: all pictures are in one folder, \"%s\": no classes",
                       a->path, a->names[0]);
    if (like && (!like->class_names || !dl_shape_equal(like->input, *shape)))
        return dl_fail(error, DL_DATA, "%s: its pictures are %s, those of training %s", a->path,
                       dl_shape_text(own, *shape), dl_shape_text(theirs, like->input));
    return 0;
}

static int tar_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const tar_options *o = dataset->options;
    tar_state *state = dataset->state = xcalloc(1, sizeof *state);
    state->archive = -1;
    dataset->bytes = true;
    char *path = dl_dataset_find(dataset, o->file, error);
    archive a = {.dataset = dataset, .path = path};
    if (path)
        a.reader = dl_reader_open(path, DL_DATA, error);
    int result = -1;
    if (a.reader)
        result = read_all(&a, error) || check(&a, like, error) || number_classes(&a, like, error)
                     ? -1
                     : 0;
    for (int i = 0; i < a.name_count; i++)
        free(a.names[i]);
    free(a.names);
    dl_text_free(&a.bad_names);
    dl_reader_close(a.reader);
    state->path = path;
    if (!result && state->on_demand && (state->archive = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        result = dl_fail(error, DL_DATA, "%s: cannot be opened again", path);
    return result;
}

/* The pixels of picture i, from the archive; the caller frees them. */
static unsigned char *decode(const dl_dataset *dataset, int64_t i, dl_error *error) {
    const tar_state *state = dataset->state;
    const dl_shape *shape = &dataset->schema.input;
    place at = state->places[i];
    int height = 0, width = 0;
    int64_t done = 0;
    ssize_t got = 1;
    const char *why = "";
    char *bytes = xmalloc((size_t)at.bytes + 1);
    while (done < at.bytes && got > 0) {
        got = pread(state->archive, bytes + done, (size_t)(at.bytes - done), at.offset + done);
        done += got > 0 ? got : 0;
    }
    unsigned char *pixels =
        done < at.bytes ? NULL
                        : dl_image_decode(bytes, at.bytes, shape->dim[2], &height, &width, &why);
    free(bytes);
    if (pixels && height == shape->dim[0] && width == shape->dim[1])
        return pixels;
    free(pixels);
    dl_fail(error, DL_DATA, "%s: offset %lld: the archive was changed since it was opened",
            state->path, (long long)at.offset);
    return NULL;
}

static int tar_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const tar_state *state = dataset->state;
    if (y)
        *y = (float)state->classes[i];
    if (!x)
        return 0;
    unsigned char *decoded = state->on_demand ? decode(dataset, i, error) : NULL;
    const unsigned char *pixels = state->on_demand ? decoded : state->pixels + i * state->size;
    if (!pixels)
        return -1;
    for (int64_t p = 0; p < state->size; p++)
        x[p] = (float)pixels[p];
    free(decoded);
    return 0;
}

static void tar_close(dl_dataset *dataset) {
    tar_state *state = dataset->state;
    if (state) {
        free(state->pixels);
        free(state->classes);
        free(state->places);
        free(state->path);
        if (state->archive >= 0)
            close(state->archive);
    }
    free(state);
    dataset->state = NULL;
}

extern const dl_dataset_type dl_dataset_image_tar;
const dl_dataset_type dl_dataset_image_tar = {
    .kind = {.name = "image_tar",
             .help = "pictures (PNG, JPEG, BMP, GIF, TGA, PNM) of one size in a tar archive, one "
                     "folder a class",
             .size = sizeof(tar_options),
             .options = options},
    .open = tar_open,
    .read = tar_read,
    .close = tar_close,
};
