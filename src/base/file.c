/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/spool.h"

bool dl_file_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

bool dl_file_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

char *dl_path_join(const char *folder, const char *name) {
    dl_text path = {0};
    if (name[0] != '/' && folder[0])
        dl_text_add(&path, "%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/");
    dl_text_add(&path, "%s", name);
    return path.data;
}

const char *dl_path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Looks in the installed data of the program, then in its source tree. */
static char *find_beside_program(const char *folder, const char *name) {
    static const char *const bases[] = {"../share/dltrain/", ""};
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program);
    if (length <= 0 || length == (ssize_t)sizeof program || *name == '/')
        return NULL;
    while (length && program[length - 1] != '/')
        length--;
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        dl_text path = {0};
        dl_text_add(&path, "%.*s%s%s/%s", (int)length, program, bases[i], folder, name);
        char *real = dl_file_exists(path.data) ? realpath(path.data, NULL) : NULL;
        dl_text_free(&path);
        if (real)
            return real;
    }
    return NULL;
}

/* The path of a file that exists, or NULL. */
static char *find_in(const char *folder, const char *name) {
    char *path = folder ? dl_path_join(folder, name) : NULL;
    if (path && dl_file_exists(path))
        return path;
    free(path);
    return NULL;
}

char *dl_path_find_data(const char *name, const char *config, const char *const *folders) {
    static const char *const none[] = {NULL};
    if (!strcmp(name, "-"))
        return xstrdup("/dev/stdin");
    char *beside = xstrdup(config ? config : ""), *found = find_in("", name);
    beside[dl_path_base(beside) - beside] = '\0';
    if (!found)
        found = find_in(beside, name);
    for (folders = folders ? folders : none; *folders && !found; folders++)
        found = find_in(*folders, name);
    if (!found)
        found = find_in("data", name);
    if (!found)
        found = find_in(getenv("DLTRAIN_DATA"), name);
    free(beside);
    return found ? found : find_beside_program("data", name);
}

char *dl_path_relative(const char *from, const char *to) {
    size_t same = 0;
    dl_text path = {0};
    for (size_t i = 0;; i++) { /* the folders that both start with */
        bool ends = (!from[i] || from[i] == '/') && (!to[i] || to[i] == '/');
        same = ends ? i : same;
        if (from[i] != to[i] || !from[i])
            break;
    }
    for (const char *c = from + same; *c; c++)
        if (*c == '/' && c[1])
            dl_text_add(&path, "../");
    to += same + (to[same] == '/');
    if (!*to && path.length)
        path.data[--path.length] = '\0';
    dl_text_add(&path, "%s", *to || path.length ? to : ".");
    return path.data;
}

char *dl_path_find_config(const char *name) {
    dl_text with_ending = {0};
    dl_text_add(&with_ending, "%s.cfg", name);
    const char *names[] = {name, with_ending.data};
    char *path = NULL;
    for (int i = 0; i < 2 && !path; i++)
        path = dl_file_exists(names[i]) && !dl_file_is_folder(names[i]) ? dl_path_join("", names[i])
                                                                        : NULL;
    for (int i = 0; i < 2 && !path; i++)
        path = find_beside_program("configs", names[i]);
    dl_text_free(&with_ending);
    return path ? path : dl_path_join("", name);
}

struct dl_reader {
    gzFile file;    /* NULL: a stream */
    int descriptor; /* of a stream, */
    char peeked[DL_READER_PEEK];
    int peeked_count; /* and what of it was not read yet */
    char *path;
    dl_code code;
    int64_t offset, bound;
};

/* The maximum compression ratio of deflate. */
enum { DEFLATE_RATIO = 1032 };

dl_reader *dl_reader_open(const char *path, dl_code code, dl_error *error) {
    struct stat info;
    int descriptor = dl_spool_open(path);
    if (descriptor < 0 || fstat(descriptor, &info) < 0) {
        dl_fail(error, code, "%s: %s", path, strerror(errno));
        if (descriptor >= 0)
            close(descriptor);
        return NULL;
    }
    if (S_ISDIR(info.st_mode)) {
        dl_fail(error, code, "%s: is a folder, not a file", path);
        close(descriptor);
        return NULL;
    }
    gzFile file = gzdopen(descriptor, "rb");
    if (!file || gzbuffer(file, 1 << 18))
        dl_out_of_memory(0);
    dl_reader *reader = xcalloc(1, sizeof *reader);
    reader->file = file;
    reader->path = xstrdup(path);
    reader->code = code;
    reader->bound = INT64_MAX;
    if (S_ISREG(info.st_mode) && info.st_size < INT64_MAX / DEFLATE_RATIO)
        reader->bound = gzdirect(file) ? info.st_size : info.st_size * DEFLATE_RATIO;
    return reader;
}

dl_reader *dl_reader_open_stream(int descriptor, const char *name, dl_code code) {
    dl_reader *reader = xcalloc(1, sizeof *reader);
    reader->descriptor = descriptor;
    reader->path = xstrdup(name);
    reader->code = code;
    reader->bound = INT64_MAX;
    return reader;
}

static int64_t read_some(dl_reader *reader, void *out, int64_t count, dl_error *error) {
    ssize_t got;
    do
        got = read(reader->descriptor, out, (size_t)count);
    while (got < 0 && errno == EINTR);
    return got < 0 ? dl_fail(error, reader->code, "%s: %s", reader->path, strerror(errno)) : got;
}

int dl_reader_peek(dl_reader *reader, char out[DL_READER_PEEK], dl_error *error) {
    int got = (int)read_some(reader, reader->peeked, sizeof reader->peeked, error);
    reader->peeked_count = got > 0 ? got : 0;
    memcpy(out, reader->peeked, (size_t)reader->peeked_count);
    return got;
}

static int64_t read_stream(dl_reader *reader, void *out, int64_t count, dl_error *error) {
    int64_t got = reader->peeked_count < count ? reader->peeked_count : count;
    if (got > 0) {
        memcpy(out, reader->peeked, (size_t)got);
        reader->peeked_count -= (int)got;
        memmove(reader->peeked, reader->peeked + got, (size_t)reader->peeked_count);
    } else {
        got = read_some(reader, out, count, error);
    }
    reader->offset += got > 0 ? got : 0;
    return got;
}

int64_t dl_reader_read(dl_reader *reader, void *out, int64_t count, dl_error *error) {
    int64_t done = 0;
    if (!reader->file)
        return read_stream(reader, out, count, error);
    while (done < count) {
        unsigned chunk = count - done > 1 << 30 ? 1u << 30 : (unsigned)(count - done);
        int got = gzread(reader->file, (char *)out + done, chunk);
        if (got > 0)
            done += got;
        if (got <= 0 || (unsigned)got < chunk)
            break;
    }
    int64_t from = reader->offset;
    reader->offset += done;
    if (done == count)
        return done;
    int status = Z_OK;
    const char *message = gzerror(reader->file, &status);
    if (status == Z_BUF_ERROR)
        return dl_fail(error, reader->code, "%s: the gzip data is cut short after %lld bytes",
                       reader->path, (long long)(from + done));
    if (status == Z_MEM_ERROR)
        dl_out_of_memory(0);
    if (status == Z_ERRNO)
        return dl_fail(error, reader->code, "%s: %s", reader->path, strerror(errno));
    if (status != Z_OK && status != Z_STREAM_END)
        return dl_fail(error, reader->code, "%s: the gzip data is corrupt after %lld bytes (%s)",
                       reader->path, (long long)(from + done), message);
    return done;
}

int64_t dl_reader_offset(const dl_reader *reader) {
    return reader->offset;
}

int64_t dl_reader_bound(const dl_reader *reader) {
    return reader->bound;
}

bool dl_reader_is_plain(const dl_reader *reader) {
    return gzdirect(reader->file);
}

bool dl_reader_is_stream(const dl_reader *reader) {
    return !reader->file;
}

void dl_reader_close(dl_reader *reader) {
    if (!reader)
        return;
    if (reader->file)
        gzclose(reader->file);
    free(reader->path);
    free(reader);
}

char *dl_file_read(const char *path, int64_t limit, int64_t *size, dl_code code, dl_error *error) {
    dl_reader *reader = dl_reader_open(path, code, error);
    *size = 0;
    if (!reader)
        return NULL;
    int64_t capacity = limit < 1 << 16 ? limit + 1 : 1 << 16, length = 0, got;
    char *bytes = xmalloc((size_t)capacity + 1);
    while ((got = dl_reader_read(reader, bytes + length, capacity - length, error)) > 0) {
        length += got;
        if (length < capacity)
            break;
        if (length > limit) {
            dl_fail(error, code, "%s: is larger than %lld bytes", path, (long long)limit);
            got = -1;
            break;
        }
        capacity = capacity > limit / 2 ? limit + 1 : 2 * capacity;
        bytes = xrealloc(bytes, (size_t)capacity + 1);
    }
    dl_reader_close(reader);
    *size = length;
    if (got < 0) {
        free(bytes);
        return NULL;
    }
    bytes[length] = '\0';
    return bytes;
}

static int writer_failed(dl_writer *writer, const char *doing, dl_error *error) {
    int reason = errno;
    dl_fail(error, DL_FAILURE, "%s: cannot be %s: %s", writer->path, doing, strerror(reason));
    dl_writer_abort(writer);
    return -1;
}

/* Creates a file next to `path` with a random name; never follows a link. */
static int open_temporary(dl_writer *writer) {
    int descriptor = -1;
    for (int tries = 0; descriptor < 0 && tries < 16; tries++) {
        uint32_t nonce = 0;
        if (getrandom(&nonce, sizeof nonce, GRND_NONBLOCK) != sizeof nonce)
            nonce = (uint32_t)getpid() + (uint32_t)tries;
        dl_text name = {0};
        dl_text_add(&name, "%s.%08x.tmp", writer->path, nonce);
        free(writer->temporary);
        writer->temporary = name.data;
        descriptor = open(name.data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (descriptor < 0 && errno != EEXIST)
            break;
    }
    if (descriptor < 0) { /* never unlink a file that we did not create */
        free(writer->temporary);
        writer->temporary = NULL;
    }
    return descriptor;
}

static int open_stream(dl_writer *writer, int descriptor, dl_error *error) {
    writer->file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (writer->file)
        return 0;
    int reason = errno;
    if (descriptor >= 0)
        close(descriptor);
    errno = reason;
    return writer_failed(writer, "written", error);
}

int dl_writer_open(dl_writer *writer, const char *path, dl_error *error) {
    *writer = (dl_writer){.path = xstrdup(path)};
    return open_stream(writer, open_temporary(writer), error);
}

static bool is_open_as(int descriptor, const struct stat *info) {
    struct stat opened;
    return fstat(descriptor, &opened) == 0 && opened.st_dev == info->st_dev &&
           opened.st_ino == info->st_ino;
}

int dl_writer_open_output(dl_writer *writer, const char *path, dl_error *error) {
    struct stat info;
    bool standard = !strcmp(path, "-"), exists = !standard && stat(path, &info) == 0;
    if (exists && S_ISREG(info.st_mode) && !is_open_as(STDOUT_FILENO, &info)) {
        char *target = realpath(path, NULL); /* replaces the target of a link */
        int result = dl_writer_open(writer, target ? target : path, error);
        free(target);
        return result;
    }
    if (!standard && !exists)
        return dl_writer_open(writer, path, error);
    standard |= S_ISREG(info.st_mode);
    if (standard)
        fflush(stdout);
    *writer = (dl_writer){.path = xstrdup(standard ? "standard output" : path)};
    return open_stream(writer,
                       standard ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                                : open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY),
                       error);
}

int dl_folder_flush(const char *path) {
    const char *slash = strrchr(path, '/');
    dl_text folder = {0};
    if (slash)
        dl_text_add_bytes(&folder, path, slash == path ? 1 : (size_t)(slash - path));
    int descriptor = open(slash ? folder.data : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dl_text_free(&folder);
    if (descriptor < 0)
        return errno == EACCES ? 0 : -1; /* writable but not readable */
    int result = fsync(descriptor);
    if (result && (errno == EINVAL || errno == ENOTSUP))
        result = 0; /* not supported by the file system */
    int reason = errno;
    close(descriptor);
    errno = reason;
    return result;
}

int dl_writer_finish(dl_writer *writer, dl_error *error) {
    if (ferror(writer->file) || fflush(writer->file) ||
        (writer->temporary && fsync(fileno(writer->file))))
        return writer_failed(writer, "written", error);
    FILE *file = writer->file;
    writer->file = NULL;
    return fclose(file) ? writer_failed(writer, "written", error) : 0;
}

int dl_writer_commit(dl_writer *writer, dl_error *error) {
    if (writer->file && dl_writer_finish(writer, error))
        return -1;
    if (writer->temporary && rename(writer->temporary, writer->path))
        return writer_failed(writer, "replaced", error);
    bool renamed = writer->temporary != NULL;
    free(writer->temporary);
    writer->temporary = NULL;
    if (renamed && dl_folder_flush(writer->path))
        return writer_failed(writer, "flushed to the disk", error);
    dl_writer_abort(writer);
    return 0;
}

void dl_writer_abort(dl_writer *writer) {
    if (writer->file)
        fclose(writer->file);
    if (writer->temporary)
        unlink(writer->temporary);
    free(writer->path);
    free(writer->temporary);
    *writer = (dl_writer){0};
}

static int write_and_commit(dl_writer *writer, const void *bytes, size_t count, dl_error *error) {
    if (fwrite(bytes, 1, count, writer->file) != count)
        return writer_failed(writer, "written", error);
    return dl_writer_commit(writer, error);
}

int dl_file_write(const char *path, const void *bytes, size_t count, dl_error *error) {
    dl_writer writer;
    return dl_writer_open(&writer, path, error) ? -1
                                                : write_and_commit(&writer, bytes, count, error);
}

int dl_output_write(const char *path, const void *bytes, size_t count, dl_error *error) {
    dl_writer writer;
    return dl_writer_open_output(&writer, path, error)
               ? -1
               : write_and_commit(&writer, bytes, count, error);
}

/* NAME.xxxxxxxx.tmp, see open_temporary. */
static bool is_temporary(const char *name) {
    size_t length = strlen(name), tail = strlen(".00000000.tmp");
    return length > tail && name[length - tail] == '.' &&
           strspn(name + length - tail + 1, "0123456789abcdef") == 8 &&
           !strcmp(name + length - 4, ".tmp");
}

bool dl_folder_is_empty(const char *path) {
    DIR *folder = opendir(path);
    bool empty = folder != NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        empty &= !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
                 is_temporary(entry->d_name);
    if (folder)
        closedir(folder);
    return empty;
}

void dl_folder_remove_temporaries(const char *path) {
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (is_temporary(entry->d_name))
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
}

int dl_folder_create(const char *path, dl_error *error) {
    if (!*path)
        return dl_fail(error, DL_FAILURE, "a folder needs a name");
    char *part = xstrdup(path);
    int result = 0;
    for (char *end = part + 1; !result; end++) {
        if (*end && *end != '/')
            continue;
        char saved = *end;
        *end = '\0';
        if (mkdir(part, 0777) ? errno != EEXIST && !dl_file_is_folder(part) : dl_folder_flush(part))
            result = dl_fail(error, DL_FAILURE, "%s: cannot be created: %s", part, strerror(errno));
        *end = saved;
        if (!saved)
            break;
    }
    if (!result && !dl_file_is_folder(path))
        result = dl_fail(error, DL_FAILURE, "%s: is a %s, not a folder", path,
                         dl_file_exists(path) ? "file" : "link to nothing");
    free(part);
    return result;
}
