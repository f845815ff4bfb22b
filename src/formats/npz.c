/* SPDX-License-Identifier: MIT */
/* npz archives: zip files (PKWARE's APPNOTE 6.3) of npy files, stored or deflated. The central
   directory at the end has offsets and sizes; those above 32 bits are in zip64 fields. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "formats/npy.h"

enum { END = 22, END64 = 56, LOCATOR64 = 20, ENTRY = 46, LOCAL = 30, DEFLATE_RATIO = 1032 };
enum { STORED = 0, DEFLATED = 8, MAX_LISTED = 20 };

/* A directory entry. */
typedef struct {
    const char *name; /* [name_length] */
    int name_length, flags, method;
    uint32_t crc;
    int64_t packed, size, offset; /* offset: of its local header */
} member;

typedef struct {
    const unsigned char *b; /* [count] */
    int64_t count;
    const char *path;
    dl_error *error;
} archive;

static uint64_t little_endian(const unsigned char *b, int width) {
    uint64_t value = 0;
    for (int i = width - 1; i >= 0; i--)
        value = value << 8 | b[i];
    return value;
}

static int damaged(const archive *a, const char *what) {
    return dl_fail(a->error, DL_DATA, "%s: %s: the zip archive is cut short or damaged", a->path,
                   what);
}

static bool fits(const archive *a, uint64_t at, uint64_t length) {
    return at <= (uint64_t)a->count && length <= (uint64_t)a->count - at;
}

/* Offset of the directory and number of members. */
static int find_directory(const archive *a, uint64_t *at, uint64_t *members) {
    int64_t end = a->count - END;
    while (end >= 0 && end >= a->count - END - 0xffff && memcmp(a->b + end, "PK\5\6", 4) != 0)
        end--;
    if (end < 0 || memcmp(a->b + end, "PK\5\6", 4) != 0)
        return dl_fail(
            a->error, DL_DATA,
            "%s: is not a zip archive (npz), or is cut short: there is no directory at its end",
            a->path);
    *members = little_endian(a->b + end + 10, 2);
    *at = little_endian(a->b + end + 16, 4);
    const unsigned char *locator = end >= LOCATOR64 ? a->b + end - LOCATOR64 : NULL;
    if (locator && !memcmp(locator, "PK\6\7", 4)) {
        uint64_t end64 = little_endian(locator + 8, 8);
        if (!fits(a, end64, END64) || memcmp(a->b + end64, "PK\6\6", 4) != 0)
            return damaged(a, "the directory's end");
        *members = little_endian(a->b + end64 + 32, 8);
        *at = little_endian(a->b + end64 + 48, 8);
    }
    return 0;
}

/* 64-bit values of size, packed and offset, in this order, where the 32-bit field overflowed. */
static int read_zip64(const archive *a, const unsigned char *extra, int length, member *m) {
    int64_t *wide[] = {&m->size, &m->packed, &m->offset};
    for (int at = 0; at + 4 <= length;) {
        int id = (int)little_endian(extra + at, 2),
            end = at + 4 + (int)little_endian(extra + at + 2, 2);
        if (end > length)
            return damaged(a, "a member's extra field");
        at += 4;
        for (int k = 0; k < 3 && id == 1; k++)
            if (*wide[k] == UINT32_MAX) {
                if (at + 8 > end)
                    return damaged(a, "a member's extra field");
                *wide[k] = (int64_t)little_endian(extra + at, 8);
                at += 8;
            }
        at = end;
    }
    return 0;
}

/* Reads the entry at *at, which is advanced. */
static int read_entry(const archive *a, uint64_t *at, member *m) {
    const unsigned char *e = fits(a, *at, ENTRY) ? a->b + *at : NULL;
    if (!e || memcmp(e, "PK\1\2", 4) != 0)
        return damaged(a, "the directory");
    m->flags = (int)little_endian(e + 8, 2);
    m->method = (int)little_endian(e + 10, 2);
    m->crc = (uint32_t)little_endian(e + 16, 4);
    m->packed = (int64_t)little_endian(e + 20, 4);
    m->size = (int64_t)little_endian(e + 24, 4);
    m->name_length = (int)little_endian(e + 28, 2);
    int extra = (int)little_endian(e + 30, 2), comment = (int)little_endian(e + 32, 2);
    m->offset = (int64_t)little_endian(e + 42, 4);
    m->name = (const char *)e + ENTRY;
    uint64_t length = (uint64_t)(ENTRY + m->name_length + extra + comment);
    if (!fits(a, *at, length))
        return damaged(a, "the directory");
    *at += length;
    return read_zip64(a, e + ENTRY + m->name_length, extra, m);
}

/* Length of the name without ".npy". */
static int plain_length(const member *m) {
    bool npy = m->name_length > 4 && !memcmp(m->name + m->name_length - 4, ".npy", 4);
    return m->name_length - (npy ? 4 : 0);
}

/* Finds the array `name`; -1 and an error that lists the arrays. */
static int find_member(const archive *a, const char *name, member *m) {
    uint64_t at = 0, members = 0;
    dl_text names = {0};
    int result = find_directory(a, &at, &members), listed = 0;
    for (uint64_t i = 0; i < members && !result; i++) {
        if ((result = read_entry(a, &at, m)))
            break;
        int length = plain_length(m);
        if ((size_t)length == strlen(name) && !memcmp(m->name, name, (size_t)length)) {
            dl_text_free(&names);
            return 0;
        }
        char *copy = memcpy(xcalloc((size_t)length + 1, 1), m->name, (size_t)length);
        dl_text_add(&names, listed ? ", " : "");
        if (listed++ < MAX_LISTED)
            dl_text_add_plain(&names, copy);
        free(copy);
        if (listed > MAX_LISTED)
            break;
    }
    if (!result)
        result = dl_fail(a->error, DL_DATA, "%s: has no array \"%s\"; there %s%s%s", a->path, name,
                         listed ? "are: " : "are none", dl_text_get(&names),
                         listed > MAX_LISTED ? "…" : "");
    dl_text_free(&names);
    return result;
}

int dl_npz_list(const char *path, dl_text *names, dl_error *error) {
    dl_npy file = {0};
    uint64_t at = 0, members = 0;
    member m;
    int result = dl_npy_load(&file, path, error);
    archive a = {file.bytes, file.count, path, error};
    if (!result)
        result = find_directory(&a, &at, &members);
    for (uint64_t i = 0; i < members && !result; i++) {
        result = read_entry(&a, &at, &m);
        if (!result && memchr(m.name, '\0', (size_t)m.name_length))
            result = damaged(&a, "a member's name");
        if (!result)
            dl_text_add(names, "%.*s\n", plain_length(&m), m.name);
    }
    dl_npy_free(&file);
    return result;
}

/* Inflates in[m->packed] to out[m->size]. */
static bool inflate_member(const unsigned char *in, const member *m, unsigned char *out) {
    z_stream z = {0};
    int status = inflateInit2(&z, -MAX_WBITS);
    if (status == Z_MEM_ERROR)
        dl_out_of_memory(0);
    if (status != Z_OK)
        return false;
    int64_t read = 0, made = 0;
    while (status == Z_OK) {
        int64_t left = m->packed - read, space = m->size - made;
        z.next_in = (unsigned char *)(uintptr_t)(in + read); /* zlib does not write to it */
        z.avail_in = left > 1 << 30 ? 1u << 30 : (unsigned)left;
        z.next_out = out + made;
        z.avail_out = space > 1 << 30 ? 1u << 30 : (unsigned)space;
        unsigned before_in = z.avail_in, before_out = z.avail_out;
        status = inflate(&z, Z_NO_FLUSH);
        read += before_in - z.avail_in;
        made += before_out - z.avail_out;
    }
    inflateEnd(&z);
    if (status == Z_MEM_ERROR)
        dl_out_of_memory(0);
    return status == Z_STREAM_END && made == m->size;
}

static uint32_t checksum(const unsigned char *bytes, int64_t count) {
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, (size_t)count);
}

static int load_member(dl_npy *array, const archive *a, const member *m, const dl_dataset *dataset,
                       int64_t others) {
    bool valid = m->offset >= 0 && fits(a, (uint64_t)m->offset, LOCAL);
    const unsigned char *local = valid ? a->b + m->offset : NULL;
    if (!local || m->packed < 0 || m->size < 1 || memcmp(local, "PK\3\4", 4) != 0)
        return damaged(a, "the offset of a member");
    uint64_t at =
        (uint64_t)m->offset + LOCAL + little_endian(local + 26, 2) + little_endian(local + 28, 2);
    if (!fits(a, at, (uint64_t)m->packed))
        return damaged(a, "a member");
    if (m->flags & 1 || (m->method != STORED && m->method != DEFLATED))
        return dl_fail(a->error, DL_DATA,
                       "%s: is encrypted or compressed by an unsupported method (%d); stored and "
                       "deflated members can be read",
                       a->path, m->method);
    array->bytes = a->b + at;
    array->count = m->size;
    if (m->method == STORED && m->packed != m->size)
        return damaged(a, "a member's size");
    if (m->method == DEFLATED && m->size / DEFLATE_RATIO > m->packed)
        return damaged(a, "a member's size"); /* before allocating */
    if (dl_dataset_fits(dataset, array->path, (double)others + (double)m->size,
                        "save each array separately (numpy.save) and use format = \"npy\"",
                        a->error))
        return -1;
    array->held = m->size;
    if (m->method == DEFLATED) {
        array->bytes = array->owned = xmalloc((size_t)m->size);
        if (!inflate_member(a->b + at, m, array->owned))
            return damaged(a, "a member's bytes");
    }
    return checksum(array->bytes, array->count) == m->crc ? 0 : damaged(a, "a member's checksum");
}

int dl_npz_load(dl_npy *array, const char *path, const char *name, const dl_dataset *dataset,
                int64_t others, dl_error *error) {
    member m;
    dl_text full = {0};
    if (dl_npy_load(array, path, error))
        return -1;
    archive a = {array->bytes, array->count, path, error};
    if (find_member(&a, name, &m))
        return -1;
    dl_text_add(&full, "%s: %s", path, name);
    free(array->path);
    array->path = full.data;
    a.path = full.data;
    return load_member(array, &a, &m, dataset, others);
}
