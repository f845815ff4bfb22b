/* SPDX-License-Identifier: MIT */
/* File format: a header; from offset 4096 the images; for labels, then the maximum of each image.
   The name is a digest of the image files, the form and the decoder, so that anything that changes
   a pixel changes the name. The file is written as NAME.tmp, locked by the writer: a second run
   continues without a cache, and the next writer removes files of killed runs. An existing file is
   used only if its digests match. */
#include "formats/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

/* Increment FORMAT when decoding, resizing or the file format changes. */
enum { FORMAT = 2, PIXELS_FROM = 4096, CHUNK = 1 << 18 };
static const uint64_t MAGIC = 0x65686361636c6400 + FORMAT; /* also detects the byte order */

/* Rounding depends on the compiler and on fused multiply-add. */
static const char BUILD[] = __VERSION__
#ifdef __FMA__
    " fused"
#endif
    ;

typedef struct {
    uint64_t magic;
    dl_digest key;
    int64_t count;
    int32_t dim[3], labels;
    dl_digest sum; /* of the header with sum 0, the digests of the images, the maxima */
} header;

static void warn(dl_cache *cache, const char *path, const char *why) {
    dl_text *text = &cache->notes->warned;
    dl_text_add(text, "%s", text->length ? "\n" : "");
    dl_text_add_plain(text, path);
    dl_text_add(text, ": %s: continues without data.cache", why);
}

static void note(dl_cache *cache, const char *what) {
    char size[32];
    dl_text *text = &cache->notes->told;
    dl_text_add(text, "%s%s, %s, %s", text->length ? "\n" : "", cache->path,
                dl_text_bytes(size, (double)cache->map_size), what);
}

/* ---- the key ---- */

typedef struct {
    dl_digest content, stamp;
    const char *why; /* the error, or NULL */
} file_state;

static dl_digest stamp_of(const struct stat *info) {
    int64_t parts[] = {(int64_t)info->st_dev,  (int64_t)info->st_ino,
                       (int64_t)info->st_size, (int64_t)info->st_mtim.tv_sec,
                       info->st_mtim.tv_nsec,  (int64_t)info->st_ctim.tv_sec,
                       info->st_ctim.tv_nsec};
    return dl_digest_of(parts, sizeof parts, 0);
}

static char *path_of(const dl_cache_files *files, int64_t i) {
    return files->folder ? dl_path_join(files->folder, files->path[i]) : xstrdup(files->path[i]);
}

static file_state digest_file(const char *path, char *buffer) {
    struct stat info;
    file_state found = {.why = NULL};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* do not block on a pipe */
    ssize_t got = -1;
    if (descriptor < 0 || fstat(descriptor, &info))
        found.why = strerror(errno);
    else if (!S_ISREG(info.st_mode))
        found.why = "not a regular file";
    else
        found.stamp = stamp_of(&info);
    while (!found.why && (got = read(descriptor, buffer, CHUNK)) != 0) {
        if (got > 0)
            dl_digest_add(&found.content, buffer, (size_t)got);
        else if (errno != EINTR)
            found.why = strerror(errno);
    }
    if (descriptor >= 0)
        close(descriptor);
    return found;
}

/* Digests all files. False, and a warning, on failure. */
static bool digest_files(dl_cache *cache, dl_digest *content) {
    const dl_cache_files *files = &cache->files;
    file_state *all = xcalloc((size_t)files->count + 1, sizeof *all);
#pragma omp parallel
    {
        char *buffer = xmalloc(CHUNK);
#pragma omp for schedule(dynamic, 16)
        for (int64_t i = 0; i < files->count; i++) {
            char *path = path_of(files, i);
            all[i] = digest_file(path, buffer);
            free(path);
        }
        free(buffer);
    }
    bool valid = true;
    for (int64_t i = 0; i < files->count && valid; i++) {
        dl_digest_add(content, &all[i].content, sizeof all[i].content);
        dl_digest_add(&cache->stamp, &all[i].stamp, sizeof all[i].stamp);
        valid = !all[i].why;
        if (!valid)
            warn(cache, files->path[i], all[i].why);
    }
    free(all);
    return valid;
}

/* Whether sizes and times of the files are unchanged since they were digested. */
static bool are_unchanged(const dl_cache *cache) {
    dl_digest stamp = {{0}};
    for (int64_t i = 0; i < cache->files.count; i++) {
        struct stat info;
        char *path = path_of(&cache->files, i);
        dl_digest one = {{0}};
        if (!stat(path, &info))
            one = stamp_of(&info);
        dl_digest_add(&stamp, &one, sizeof one);
        free(path);
    }
    return dl_digest_equal(stamp, cache->stamp);
}

static bool find_key(dl_cache *cache, const dl_image_form *form) {
    bool exact = form->resize == DL_IMAGE_EXACT;
    int32_t parts[] = {FORMAT,
                       (int32_t)form->resize,
                       form->labels,
                       exact ? 0 : form->shape.dim[0],
                       exact ? 0 : form->shape.dim[1],
                       form->shape.dim[2]};
    dl_digest_add(&cache->key, BUILD, sizeof BUILD);
    dl_digest_add(&cache->key, parts, sizeof parts);
    return digest_files(cache, &cache->key);
}

/* ---- reading ---- */

/* each[count]: digests of the images. */
static dl_digest checksum(const header *head, const dl_digest *each, const unsigned char *largest) {
    header plain = *head;
    plain.sum = (dl_digest){{0}};
    dl_digest sum = dl_digest_of(&plain, sizeof plain, 0);
    dl_digest_add(&sum, each, sizeof *each * (size_t)head->count);
    if (largest)
        dl_digest_add(&sum, largest, (size_t)head->count);
    return sum;
}

/* Whether the header is valid for a file of `bytes` bytes. */
static bool header_matches(const header *head, int64_t bytes, dl_digest key) {
    int64_t size = 1, pixels;
    if (head->magic != MAGIC || !dl_digest_equal(head->key, key) || head->count < 1)
        return false;
    for (int d = 0; d < 3; d++)
        if (head->dim[d] < 1 || !dl_multiply(size, head->dim[d], &size))
            return false;
    return dl_multiply(head->count, size, &pixels) && pixels <= bytes - PIXELS_FROM &&
           bytes - PIXELS_FROM - pixels == (head->labels ? head->count : 0);
}

static bool is_intact(const header *head, const unsigned char *pixels, int64_t size,
                      const unsigned char *largest) {
    dl_digest *each = xmalloc(sizeof *each * (size_t)head->count);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < head->count; i++)
        each[i] = dl_digest_of(pixels + i * size, (size_t)size, 0);
    dl_digest sum = checksum(head, each, largest);
    free(each);
    return dl_digest_equal(sum, head->sum);
}

/* Maps the file if it exists and is intact. It does not count against the memory limit: the system
   can reclaim its pages. */
static bool map_file(dl_cache *cache, bool trusted) {
    struct stat info;
    int descriptor = open(cache->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    void *map = MAP_FAILED;
    if (descriptor >= 0 && !fstat(descriptor, &info) && S_ISREG(info.st_mode) &&
        info.st_size > PIXELS_FROM)
        map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (descriptor >= 0)
        close(descriptor);
    if (map == MAP_FAILED)
        return false;
    const header *head = map;
    const unsigned char *pixels = (const unsigned char *)map + PIXELS_FROM;
    if (header_matches(head, info.st_size, cache->key)) {
        dl_shape shape = dl_shape3(head->dim[0], head->dim[1], head->dim[2]);
        int64_t size = dl_shape_size(shape);
        const unsigned char *largest = head->labels ? pixels + head->count * size : NULL;
        if (trusted || is_intact(head, pixels, size, largest)) {
            cache->map = map;
            cache->map_size = info.st_size;
            cache->count = head->count;
            cache->shape = shape;
            cache->pixels = pixels;
            cache->largest = largest;
            return true;
        }
    }
    munmap(map, (size_t)info.st_size);
    return false;
}

/* ---- writing ---- */

/* Opens and locks a temporary file. -1 and errno, EWOULDBLOCK if another process holds it. File
   systems without locks are accepted. */
static int lock_file(const char *path, int flags) {
    struct stat own, named;
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
    if (descriptor < 0)
        return -1;
    bool theirs = flock(descriptor, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    /* the previous owner may have renamed or removed it before we got the lock */
    if (!theirs && !fstat(descriptor, &own) && !stat(path, &named) && own.st_ino == named.st_ino &&
        own.st_dev == named.st_dev && S_ISREG(own.st_mode))
        return descriptor;
    close(descriptor);
    errno = EWOULDBLOCK;
    return -1;
}

/* Removes unlocked temporary files. */
static void remove_stale(const char *folder) {
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        const char *end = strrchr(entry->d_name, '.');
        if (!end || strcmp(end, ".tmp") != 0)
            continue;
        char *path = dl_path_join(folder, entry->d_name);
        int descriptor = lock_file(path, 0);
        if (descriptor >= 0) {
            unlink(path);
            close(descriptor);
        }
        free(path);
    }
    if (directory)
        closedir(directory);
}

static void begin_writing(dl_cache *cache, const char *folder) {
    dl_error error = {0};
    if (dl_folder_create(folder, &error)) {
        warn(cache, folder, dl_text_get(&error.text));
        dl_error_clear(&error);
        return;
    }
    remove_stale(folder);
    cache->descriptor = lock_file(cache->temporary, O_CREAT);
    cache->writing = cache->descriptor >= 0 && !ftruncate(cache->descriptor, 0);
    if (!cache->writing && errno == EWOULDBLOCK)
        warn(cache, cache->path, "another run is creating it");
    else if (!cache->writing)
        warn(cache, cache->temporary, strerror(errno));
    if (!cache->writing && cache->descriptor >= 0)
        close(cache->descriptor);
}

/* Stops writing and removes the temporary file. */
static void discard(dl_cache *cache) {
    if (!cache->writing)
        return;
    unlink(cache->temporary);
    close(cache->descriptor);
    cache->writing = false;
}

/* NULL: unknown. Freed by the caller. */
static char *find_folder(void) {
    const char *given = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (given && given[0] == '/') /* the specification ignores relative paths */
        return dl_path_join(given, "dltrain");
    return home && *home ? dl_path_join(home, ".cache/dltrain") : NULL;
}

void dl_cache_open(dl_cache *cache, dl_cache_notes *notes, const dl_cache_files *files,
                   const dl_image_form *form) {
    *cache = (dl_cache){.notes = notes, .files = *files};
    char *folder = find_folder(), name[64];
    if (!folder) {
        warn(cache, "$XDG_CACHE_HOME, $HOME", "neither is set");
        return;
    }
    if (find_key(cache, form)) {
        snprintf(name, sizeof name, "%016llx%016llx.pictures",
                 (unsigned long long)cache->key.half[0], (unsigned long long)cache->key.half[1]);
        dl_text temporary = {0};
        cache->path = dl_path_join(folder, name);
        dl_text_add(&temporary, "%s.tmp", cache->path);
        cache->temporary = temporary.data;
        if (map_file(cache, false))
            note(cache, "read");
        else
            begin_writing(cache, folder);
    }
    free(folder);
}

void dl_cache_reserve(dl_cache *cache, int64_t count) {
    if (!cache->writing || count <= cache->capacity)
        return;
    cache->capacity = 2 * cache->capacity > count ? 2 * cache->capacity : count;
    cache->each = xrealloc(cache->each, sizeof *cache->each * (size_t)cache->capacity);
}

bool dl_cache_is_writing(const dl_cache *cache) {
    return cache->writing && !atomic_load(&cache->reason);
}

/* Writes bytes[count] at `offset`; an error is kept in cache->reason. */
static void write_at(dl_cache *cache, const void *bytes, int64_t count, int64_t offset) {
    for (int64_t done = 0; done < count && dl_cache_is_writing(cache);) {
        ssize_t got = pwrite(cache->descriptor, (const char *)bytes + done, (size_t)(count - done),
                             offset + done);
        if (got > 0)
            done += got;
        else if (got == 0 || errno != EINTR)
            atomic_store(&cache->reason, got ? errno : ENOSPC);
    }
}

void dl_cache_put(dl_cache *cache, int64_t i, const unsigned char *pixels, int64_t size) {
    if (!dl_cache_is_writing(cache))
        return;
    cache->each[i] = dl_digest_of(pixels, (size_t)size, 0);
    write_at(cache, pixels, size, PIXELS_FROM + i * size);
}

/* Completes the file and renames it. */
static void publish(dl_cache *cache, dl_shape shape, int64_t count, const unsigned char *largest) {
    header head = {.magic = MAGIC, .key = cache->key, .count = count, .labels = largest != NULL};
    for (int d = 0; d < 3; d++)
        head.dim[d] = shape.dim[d];
    head.sum = checksum(&head, cache->each, largest);
    if (largest)
        write_at(cache, largest, count, PIXELS_FROM + count * dl_shape_size(shape));
    write_at(cache, &head, sizeof head, 0);
    if (dl_cache_is_writing(cache) &&
        (fsync(cache->descriptor) || rename(cache->temporary, cache->path)))
        atomic_store(&cache->reason, errno);
    if (!dl_cache_is_writing(cache))
        return;
    (void)dl_folder_flush(cache->path); /* losing the cache is harmless */
    close(cache->descriptor);
    cache->writing = false;
    free(cache->each);
    cache->each = NULL;
    if (map_file(cache, true))
        note(cache, "made");
}

int dl_cache_finish(dl_cache *cache, dl_shape shape, int64_t count, const unsigned char *largest,
                    dl_error *error) {
    if (!cache->pixels && !cache->writing)
        return 0;
    bool same = are_unchanged(cache);
    if (cache->pixels && (!same || count != cache->count))
        return dl_fail(
            error, DL_DATA, "%s%s was changed while it was read (try again, or remove %s)",
            cache->files.path[0], cache->files.count > 1 ? " or another image" : "", cache->path);
    if (cache->pixels)
        return 0;
    if (same && dl_cache_is_writing(cache))
        publish(cache, shape, count, largest);
    if (cache->writing)
        warn(cache, cache->path,
             same ? strerror(atomic_load(&cache->reason))
                  : "the images were changed while they were read");
    discard(cache);
    return 0;
}

void dl_cache_free(dl_cache *cache) {
    discard(cache);
    if (cache->map)
        munmap(cache->map, (size_t)cache->map_size);
    free(cache->path);
    free(cache->temporary);
    free(cache->each);
    cache->path = cache->temporary = NULL;
    cache->map = NULL;
    cache->pixels = cache->largest = NULL;
    cache->each = NULL;
}
