/* SPDX-License-Identifier: MIT */
/* Images in one folder per class: root/class/name.jpg. Classes are the names of the folders,
   sorted; rows are sorted by class and file name. Hidden files and folders are skipped, links are
   followed, subfolders of a class are ignored. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "formats/pictures.h"

typedef struct {
    const char *folder;
    dl_picture_options pictures;
    struct config_setting_t *merge;
} folder_options;

static const dl_option options[] = {
    DL_STRING_OPTION("folder", folder_options, folder, DL_REQUIRED,
                     "folder with one subfolder of images per class, named after the class"),
    DL_PICTURE_OPTIONS(folder_options),
    DL_MERGE_OPTION(folder_options),
    DL_OPTIONS_END,
};

/* ---- listing a folder ---- */

typedef struct {
    char **name; /* [count], sorted bytewise; owned */
    int64_t count;
} listing;

static void free_listing(listing *list) {
    for (int64_t i = 0; i < list->count; i++)
        free(list->name[i]);
    free(list->name);
    *list = (listing){0};
}

static void omit(dl_omissions *omissions, dl_omission kind, const char *folder, const char *name) {
    char *path = dl_path_join(folder, name);
    dl_omissions_add(omissions, kind, path);
    free(path);
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Hidden entries are skipped. 0, or -1 and an error. */
static int list_folder(const char *path, listing *list, dl_omissions *omissions, dl_error *error) {
    DIR *folder = opendir(path);
    struct dirent *entry = NULL;
    int64_t capacity = 0;
    errno = folder ? 0 : errno;
    while (folder && (entry = readdir(folder))) {
        const char *name = entry->d_name;
        if (name[0] == '.') {
            if (strcmp(name, ".") && strcmp(name, ".."))
                omit(omissions, DL_OMITTED_HIDDEN, path, name);
            continue;
        }
        if (list->count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            list->name = xrealloc(list->name, sizeof *list->name * (size_t)capacity);
        }
        list->name[list->count++] = xstrdup(name);
    }
    int reason = errno;
    if (folder)
        closedir(folder);
    if (list->count)
        qsort(list->name, (size_t)list->count, sizeof *list->name, by_bytes);
    return reason ? dl_fail(error, DL_DATA, "%s: %s", path, strerror(reason)) : 0;
}

/* ---- the classes ---- */

typedef struct {
    dl_classed_pictures *state;
    const char *root;
    bool training;       /* no class may be empty */
    dl_string_set names; /* of the classes */
    char **path;         /* [count]: of the images; owned */
    int64_t count, capacity;
} tree;

static void add_path(tree *t, char *path, int class) {
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 1024;
        t->path = xrealloc(t->path, sizeof *t->path * (size_t)t->capacity);
        t->state->classes = xrealloc(t->state->classes, sizeof(int) * (size_t)t->capacity);
    }
    t->path[t->count] = path;
    t->state->classes[t->count++] = class;
}

static int add_class(tree *t, const char *name, const char *path, dl_error *error) {
    listing list = {0};
    int64_t before = t->count;
    bool has_folders = false;
    dl_omissions *omissions = &t->state->pictures.omissions;
    int class = -1, result = list_folder(path, &list, omissions, error);
    for (int64_t i = 0; i < list.count && !result; i++) {
        char *file = dl_path_join(path, list.name[i]);
        bool is_folder = dl_file_is_folder(file);
        has_folders |= is_folder;
        if (is_folder || !dl_image_is_named(list.name[i])) {
            dl_omissions_add(omissions, is_folder ? DL_OMITTED_FOLDER : DL_OMITTED_ENDING, file);
            free(file);
            continue;
        }
        if (class < 0)
            class = dl_string_set_add(&t->names, name);
        add_path(t, file, class);
    }
    free_listing(&list);
    if (!result && t->training && t->count == before)
        result = dl_fail(error, DL_DATA,
                         "%s: there are no pictures (.png, .jpg, .jpeg, .bmp, .gif, .tga, .ppm, "
                         ".pgm, .pnm) in this folder of a class%s",
                         path, has_folders ? ", only folders, which are not looked into" : "");
    return result;
}

/* Reports all faults of the tree. */
static int add_classes(tree *t, dl_error *error) {
    listing list = {0};
    dl_omissions *omissions = &t->state->pictures.omissions;
    int result = list_folder(t->root, &list, omissions, error);
    for (int64_t i = 0; i < list.count; i++) {
        char *path = dl_path_join(t->root, list.name[i]);
        struct stat info;
        if (dl_file_is_folder(path))
            result |= add_class(t, list.name[i], path, error);
        else if (dl_image_is_named(list.name[i]))
            result =
                dl_fail(error, DL_DATA, "%s: is an image outside the folders of the classes", path);
        else if (stat(path, &info)) /* a broken link */
            result = dl_fail(error, DL_DATA, "%s: %s", path, strerror(errno));
        else
            dl_omissions_add(omissions, DL_OMITTED_ENDING, path);
        free(path);
    }
    free_listing(&list);
    return result;
}

static int add_pictures(tree *t, dl_error *error) {
    dl_picture_source sources[DL_PICTURES_PIECE];
    dl_pictures_open_cache(&t->state->pictures, &(dl_cache_files){t->path, t->count, NULL});
    for (int64_t done = 0; done < t->count;) {
        int count = 0;
        for (; count < DL_PICTURES_PIECE && done + count < t->count; count++)
            sources[count] =
                (dl_picture_source){.name = t->path[done + count], .path = t->path[done + count]};
        if (dl_pictures_add(&t->state->pictures, sources, count, error))
            return -1;
        done += count;
    }
    return 0;
}

/* ---- the format ---- */

static int folder_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const folder_options *o = dataset->options;
    tree t = {.training = !like};
    dataset->state = t.state = xcalloc(1, sizeof *t.state);
    char *root = dl_dataset_find(dataset, o->folder, error);
    int result = -1;
    if (root && !dl_file_is_folder(root)) {
        dl_fail(error, DL_DATA, "%s: is a file, not a folder", root);
    } else if (root) {
        t.root = root;
        dl_pictures_begin(&t.state->pictures, dataset, &o->pictures, false, root);
        result = add_classes(&t, error);
        for (int64_t i = 0; i < t.count; i++)
            dl_sources_add(&dataset->sources, t.path[i], i);
        dataset->sources.single = true;
        result =
            result || add_pictures(&t, error) || dl_classed_finish(dataset, &t.names, like, error)
                ? -1
                : 0;
    }
    for (int64_t i = 0; i < t.count; i++)
        free(t.path[i]);
    free(t.path);
    dl_string_set_free(&t.names);
    free(root);
    return result;
}

extern const dl_dataset_type dl_dataset_image_folder;
const dl_dataset_type dl_dataset_image_folder = {
    .kind = {.name = "image_folder",
             .help = "images (PNG, JPEG, BMP, GIF, TGA, PNM) in one folder per class",
             .size = sizeof(folder_options),
             .options = options},
    .open = folder_open,
    .read = dl_classed_read,
    .prefetch = dl_classed_prefetch,
    .close = dl_classed_close,
};
