/* SPDX-License-Identifier: MIT */
#include "run/replacement.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "run/tensorboard.h"

const char *const dl_run_files[DL_RUN_FILES] = {
    "config.cfg", "history.csv",      "log.txt",         "split.csv",
    "facts.json", "best.safetensors", "last.safetensors"};

/* The new run before the exchange and the old one after it; the old one, where they are renamed. */
static const char NEW[] = "dltrain-new", OLD[] = "dltrain-old";

char *dl_run_epoch_path(const char *folder, int64_t epoch) {
    dl_text path = {0};
    dl_text_add(&path, "%s/epoch_%04lld.safetensors", folder, (long long)epoch);
    return path.data;
}

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

int64_t *dl_run_epochs(const char *path, int *count) {
    DIR *folder = opendir(path);
    int64_t *epochs = NULL;
    *count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        long long epoch;
        int end = 0;
        if (sscanf(entry->d_name, "epoch_%18lld.safetensors%n", &epoch, &end) != 1 || !end ||
            entry->d_name[end] || epoch < 0)
            continue;
        epochs = xrealloc(epochs, sizeof *epochs * (size_t)(*count + 1));
        epochs[(*count)++] = epoch;
    }
    if (folder)
        closedir(folder);
    if (epochs)
        qsort(epochs, (size_t)*count, sizeof *epochs, compare);
    return epochs;
}

void dl_run_remove_epochs(const char *folder, int64_t epoch) {
    int count;
    int64_t *epochs = dl_run_epochs(folder, &count);
    for (int i = 0; i < count; i++)
        if (epochs[i] > epoch) {
            char *path = dl_run_epoch_path(folder, epochs[i]);
            unlink(path);
            free(path);
        }
    free(epochs);
}

void dl_run_remove_files(const char *path, int first) {
    dl_run_remove_epochs(path, 0);
    for (int i = DL_RUN_FILES; i-- > first;) {
        char *file = dl_path_join(path, dl_run_files[i]);
        unlink(file);
        free(file);
    }
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (dl_tensorboard_is_named(entry->d_name))
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
}

/* parent/.NAME.ending */
static char *sibling(const char *folder, const char *ending) {
    char *real = realpath(folder, NULL);
    if (!real)
        real = xstrdup(folder);
    for (size_t n = strlen(real); n > 1 && real[n - 1] == '/'; n--)
        real[n - 1] = '\0';
    const char *name = dl_path_base(real);
    dl_text path = {0};
    dl_text_add(&path, "%.*s.%s.%s", (int)(name - real), real, name, ending);
    free(real);
    return path.data;
}

/* A mount point or a folder above the current one keeps its place. */
static bool can_move(const char *real) {
    char *current = getcwd(NULL, 0);
    size_t length = strlen(real);
    bool can =
        !current || strncmp(current, real, length) || (current[length] && current[length] != '/');
    free(current);
#ifdef STATX_ATTR_MOUNT_ROOT
    struct statx info;
    if (!statx(AT_FDCWD, real, 0, STATX_BASIC_STATS, &info))
        can &= !(info.stx_attributes & STATX_ATTR_MOUNT_ROOT);
#endif
    return can;
}

char *dl_replacement_create(const char *folder) {
    struct stat info;
    char *real = realpath(folder, NULL);
    if (!real)
        return NULL;
    char *hidden = can_move(real) && !stat(real, &info) ? sibling(real, NEW) : NULL;
    if (hidden &&
        (mkdir(hidden, 0777) || chmod(hidden, info.st_mode & 07777) || dl_folder_flush(hidden))) {
        rmdir(hidden);
        free(hidden);
        hidden = NULL;
    }
    free(real);
    return hidden;
}

/* Where folders cannot be exchanged: the old run moves away. */
static int rename_both(const char *hidden, const char *real) {
    char *old = sibling(real, OLD);
    int result = rename(real, old);
    if (!result && (result = rename(hidden, real))) {
        int reason = errno;
        rename(old, real);
        errno = reason;
    }
    free(old);
    return result;
}

int dl_replacement_install(const char *hidden, const char *folder, dl_error *error) {
    char *real = realpath(folder, NULL);
    int result = real ? renameat2(AT_FDCWD, hidden, AT_FDCWD, real, RENAME_EXCHANGE) : -1;
    if (result && real && (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP))
        result = rename_both(hidden, real);
    if (!result)
        result = dl_folder_flush(real);
    if (result)
        dl_fail(error, DL_FAILURE, "%s: cannot be replaced: %s", folder, strerror(errno));
    else
        dl_replacement_clean(real);
    free(real);
    return result;
}

static bool is_name(const char *name) {
    return strcmp(name, ".") && strcmp(name, "..");
}

static void clean(const char *hidden, const char *folder) {
    struct stat info;
    if (lstat(hidden, &info) || !S_ISDIR(info.st_mode) || info.st_uid != geteuid())
        return;
    dl_run_remove_files(hidden, 0);
    dl_folder_remove_temporaries(hidden);
    DIR *directory = opendir(hidden);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char *to = dl_path_join(folder, entry->d_name);
        if (is_name(entry->d_name) && !dl_file_exists(to))
            renameat(dirfd(directory), entry->d_name, AT_FDCWD, to);
        free(to);
    }
    if (directory)
        closedir(directory);
    rmdir(hidden);
}

void dl_replacement_clean(const char *folder) {
    const char *const endings[] = {NEW, OLD};
    for (int i = 0; i < 2; i++) {
        char *hidden = sibling(folder, endings[i]);
        clean(hidden, folder);
        free(hidden);
    }
}

void dl_replacement_restore(const char *folder) {
    if (dl_file_exists(folder))
        return;
    char *old = sibling(folder, OLD);
    int lock = open(old, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (lock >= 0) {
        if (!flock(lock, LOCK_EX | LOCK_NB)) /* else the program is between the renames */
            rename(old, folder);
        close(lock);
    }
    free(old);
}
