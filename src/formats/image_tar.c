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
#include "formats/tar.h"

enum { PIECE_BYTES = 1 << 24 };

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
    const char *path;
    dl_sources *sources; /* of the data set */
    dl_string_set names; /* of the classes, as they are met */
    member waiting[DL_PICTURES_PIECE];
    int waits;
    int64_t waiting_bytes, room; /* room: of the state's classes */
} archive;

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
    dl_sources_add(a->sources, name, at);
    a->sources->single = true;
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

static int read_all(archive *a, dl_reader *reader, dl_error *error) {
    dl_tar tar;
    dl_tar_member m;
    int more, result = 0;
    dl_tar_open(&tar, reader, a->path);
    while (!result && (more = dl_tar_next(&tar, &m, error)) > 0)
        if (is_picture(a, m.type, m.name))
            result = add_picture(a, m.name, m.bytes, m.size, m.offset, error);
        else
            free(m.bytes);
    dl_tar_close(&tar);
    return result || more ? -1 : decode(a, error);
}

static int tar_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const tar_options *o = dataset->options;
    archive *a = xcalloc(1, sizeof *a);
    dataset->state = a->state = xcalloc(1, sizeof *a->state);
    char *path = dl_dataset_find(dataset, o->file, error);
    int result = -1;
    dl_reader *reader = path ? dl_reader_open(path, DL_DATA, error) : NULL;
    if (reader) {
        a->path = path;
        a->sources = &dataset->sources;
        dl_pictures_begin(&a->state->pictures, dataset, &o->pictures, false, path);
        if (dl_reader_is_plain(reader))
            dl_pictures_open_archive(&a->state->pictures, path);
        dl_pictures_open_cache(&a->state->pictures, &(dl_cache_files){&path, 1, NULL});
        result = read_all(a, reader, error) || dl_classed_finish(dataset, &a->names, like, error)
                     ? -1
                     : 0;
    }
    forget_waiting(a);
    dl_string_set_free(&a->names);
    dl_reader_close(reader);
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
