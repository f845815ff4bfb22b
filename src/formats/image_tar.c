/* SPDX-License-Identifier: MIT */
/* Pictures in a tar archive (ustar, GNU or pax), plain or gzip, one folder a class:
   `…/class/name.jpg`. The archive is read once, from the front, without unpacking it; the pictures
   are kept as bytes. Members are gathered to pieces, whose pictures are decoded by all threads.
   Pictures that are too large for the memory are read from the archive again when they are wanted,
   unless it is gzipped. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "formats/pictures.h"

enum { RECORD = 512, MOST_MEMBER = 1 << 28, PIECE_BYTES = 1 << 24 };

typedef struct {
    const char *file;
    dl_picture_options pictures;
    struct config_setting_t *merge;
} tar_options;

static const dl_option options[] = {
    DL_STRING_OPTION("file", tar_options, file, DL_REQUIRED,
                     "the archive, plain or gzip; a picture's class is the folder that it is in"),
    DL_PICTURE_OPTIONS(tar_options),
    DL_MERGE_OPTION(tar_options),
    DL_OPTIONS_END,
};

/* A picture that waits to be decoded; both owned. */
typedef struct {
    char *name, *bytes;
    int64_t size, offset; /* offset: in the archive */
} member;

/* What is known while the archive is read. */
typedef struct {
    dl_classed_pictures *state;
    dl_reader *reader;
    const char *path;
    dl_string_set names; /* of the classes, as they are met */
    member waiting[DL_PICTURES_PIECE];
    int waits;
    int64_t waiting_bytes, room; /* room: of the state's classes */
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
    int64_t left = dl_reader_bound(a->reader) - dl_reader_offset(a->reader), got = 0;
    if (size > left) { /* nothing is asked for that cannot be there */
        dl_fail(error, DL_DATA,
                "%s: offset %lld: the archive is cut short: of a member of %lld "
                "bytes at most %lld are there",
                a->path, (long long)dl_reader_offset(a->reader), (long long)size, (long long)left);
        return NULL;
    }
    char *bytes = xmalloc((size_t)padded + 1);
    got = dl_reader_read(a->reader, bytes, padded, error);
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

/* Decodes what waits. */
static int decode(archive *a, dl_error *error) {
    dl_picture_source sources[DL_PICTURES_PIECE];
    for (int i = 0; i < a->waits; i++)
        sources[i] = (dl_picture_source){.name = a->waiting[i].name,
                                         .bytes = a->waiting[i].bytes,
                                         .count = a->waiting[i].size,
                                         .offset = a->waiting[i].offset};
    return dl_pictures_add(&a->state->pictures, sources, a->waits, error);
}

static void forget_waiting(archive *a) {
    for (int i = 0; i < a->waits; i++) {
        free(a->waiting[i].name);
        free(a->waiting[i].bytes);
    }
    a->waits = 0;
    a->waiting_bytes = 0;
}

/* Takes over `bytes`. */
static int add_picture(archive *a, const char *name, char *bytes, int64_t size, int64_t offset,
                       dl_error *error) {
    int64_t at = a->state->pictures.count + a->waits;
    a->waiting[a->waits++] = (member){xstrdup(name), bytes, size, offset};
    a->waiting_bytes += size;
    char *folder = folder_of(name);
    if (!folder)
        return dl_fail(error, DL_DATA, "%s: %s is in no folder, which would be its class", a->path,
                       name);
    if (at == a->room) {
        a->room = a->room ? 2 * a->room : 1024;
        a->state->classes = xrealloc(a->state->classes, sizeof(int) * (size_t)a->room);
    }
    a->state->classes[at] = dl_string_set_add(&a->names, folder);
    free(folder);
    if (a->waits < DL_PICTURES_PIECE && a->waiting_bytes < PIECE_BYTES)
        return 0;
    int result = decode(a, error);
    forget_waiting(a);
    return result;
}

/* Hidden files, and those in hidden folders, are left out as image_folder does: some systems add
   them to what was packed. */
static bool is_hidden(const char *path) {
    for (const char *part = path; *part; part += strcspn(part, "/"), part += *part == '/')
        if (part[0] == '.' && !strchr("/.", part[1]))
            return true;
    return false;
}

/* Whether a member is an image; if it is something else than a folder, it is counted. */
static bool is_picture(archive *a, char type, const char *path) {
    dl_omissions *omissions = &a->state->pictures.omissions;
    bool file = type == '0' || !type;
    if (type == '1' || type == '2')
        dl_omissions_add(omissions, DL_OMITTED_LINK, path);
    else if (file && is_hidden(path))
        dl_omissions_add(omissions, DL_OMITTED_HIDDEN, path);
    else if (file && !dl_image_is_named(path))
        dl_omissions_add(omissions, DL_OMITTED_ENDING, path);
    else
        return file;
    return false;
}

/* What extra members say of the next one. */
typedef struct {
    char *name;   /* owned; NULL: nothing */
    int64_t size; /* -1: nothing */
} extra;

static void forget_extra(extra *next) {
    free(next->name);
    *next = (extra){NULL, -1};
}

/* A pax header (POSIX.1-2001): records "LENGTH KEY=VALUE\n", LENGTH being of the whole record. */
static int read_pax(const archive *a, const char *bytes, int64_t size, extra *next,
                    dl_error *error) {
    for (int64_t at = 0; at < size && bytes[at];) {
        char *key;
        long long length = strtoll(bytes + at, &key, 10);
        const char *end = bytes + at + length, *equals = NULL;
        if (length > 4 && length <= size - at && *key == ' ' && end[-1] == '\n' && key + 1 < end)
            equals = memchr(key + 1, '=', (size_t)(end - key - 1));
        if (!equals)
            return dl_fail(error, DL_DATA, "%s: offset %lld: a pax header is damaged", a->path,
                           (long long)(dl_reader_offset(a->reader) - size));
        size_t count = (size_t)(end - 1 - (equals + 1));
        if (equals - key == 5 && !memcmp(key + 1, "path", 4)) {
            free(next->name);
            next->name = memcpy(xmalloc(count + 1), equals + 1, count);
            next->name[count] = '\0';
        } else if (equals - key == 5 && !memcmp(key + 1, "size", 4)) {
            next->size = strtoll(equals + 1, NULL, 10);
            if (next->size < 0)
                next->size = -1;
        }
        at += length;
    }
    return 0;
}

/* The size in the header: octal digits, or (GNU) a binary number behind a set first bit. */
static int64_t size_of(const char *field) {
    if (!((unsigned char)field[0] & 0x80))
        return octal(field, 12);
    int64_t value = 0;
    for (int i = 4; i < 12; i++)
        value = (value << 8 | (unsigned char)field[i]) & INT64_MAX;
    return value;
}

/* One member behind its header. */
static int read_one(archive *a, const char record[RECORD], extra *next, dl_error *error) {
    char name[257], type = record[156];
    bool has_prefix = !memcmp(record + 257, "ustar", 6) && record[345];
    snprintf(name, sizeof name, "%.155s%s%.100s", has_prefix ? record + 345 : "",
             has_prefix ? "/" : "", record);
    bool describes = type == 'L' || type == 'K' || type == 'x' || type == 'g';
    int64_t size = !describes && next->size >= 0 ? next->size : size_of(record + 124);
    int64_t offset = dl_reader_offset(a->reader);
    char *bytes = read_member(a, size, error);
    if (!bytes)
        return -1;
    int result = 0;
    if (type == 'L') {
        free(next->name);
        next->name = bytes;
        return 0;
    }
    const char *full = next->name ? next->name : name;
    if (type == 'x')
        result = read_pax(a, bytes, size, next, error);
    else if (is_picture(a, type, full))
        result = add_picture(a, full, bytes, size, offset, error), bytes = NULL;
    free(bytes);
    if (!describes)
        forget_extra(next);
    return result;
}

static int read_all(archive *a, dl_error *error) {
    char record[RECORD];
    extra next = {NULL, -1};
    int more, result = 0;
    while (!result && (more = read_header(a, record, error)) > 0)
        result = read_one(a, record, &next, error);
    forget_extra(&next);
    return result || more ? -1 : decode(a, error);
}

static int tar_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const tar_options *o = dataset->options;
    archive *a = xcalloc(1, sizeof *a);
    dataset->state = a->state = xcalloc(1, sizeof *a->state);
    char *path = dl_dataset_find(dataset, o->file, error);
    int result = -1;
    if (path)
        a->reader = dl_reader_open(path, DL_DATA, error);
    if (a->reader) {
        a->path = path;
        dl_pictures_begin(&a->state->pictures, dataset, &o->pictures, false, path);
        if (dl_reader_is_plain(a->reader))
            dl_pictures_open_archive(&a->state->pictures, path);
        dl_pictures_open_cache(&a->state->pictures, &(dl_cache_files){&path, 1, NULL});
        result = read_all(a, error) || dl_classed_finish(dataset, &a->names, like, error) ? -1 : 0;
    }
    forget_waiting(a);
    dl_string_set_free(&a->names);
    dl_reader_close(a->reader);
    free(a);
    free(path);
    return result;
}

extern const dl_dataset_type dl_dataset_image_tar;
const dl_dataset_type dl_dataset_image_tar = {
    .kind = {.name = "image_tar",
             .help = "pictures (PNG, JPEG, BMP, GIF, TGA, PNM) in a tar archive, one folder a "
                     "class",
             .size = sizeof(tar_options),
             .options = options},
    .open = tar_open,
    .read = dl_classed_read,
    .prefetch = dl_classed_prefetch,
    .close = dl_classed_close,
};
