/* SPDX-License-Identifier: MIT */
#include "formats/tar.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { RECORD = 512, MOST_MEMBER = 1 << 28 };

static int64_t octal(const char *digits, int count) {
    int64_t value = 0;
    for (int i = 0; i < count && digits[i]; i++)
        if (digits[i] >= '0' && digits[i] <= '7')
            value = value * 8 + digits[i] - '0';
    return value;
}

/* 1: a member follows, 0: the end, -1 and an error. */
static int read_header(dl_tar *t, char record[RECORD], dl_error *error) {
    int64_t got = dl_reader_read(t->reader, record, RECORD, error);
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
                   t->path, (long long)(dl_reader_offset(t->reader) - got));
}

/* A member's bytes and the padding behind them; the caller frees them. */
static char *read_member(dl_tar *t, int64_t size, dl_error *error) {
    int64_t padded = (size + RECORD - 1) / RECORD * RECORD;
    if (size > MOST_MEMBER) {
        dl_fail(error, DL_DATA, "%s: offset %lld: a member of %lld bytes is too large", t->path,
                (long long)dl_reader_offset(t->reader), (long long)size);
        return NULL;
    }
    int64_t left = dl_reader_bound(t->reader) - dl_reader_offset(t->reader), got = 0;
    if (size > left) { /* nothing is asked for that cannot be there */
        dl_fail(error, DL_DATA,
                "%s: offset %lld: the archive is cut short: of a member of %lld "
                "bytes at most %lld are there",
                t->path, (long long)dl_reader_offset(t->reader), (long long)size, (long long)left);
        return NULL;
    }
    char *bytes = xmalloc((size_t)padded + 1);
    got = dl_reader_read(t->reader, bytes, padded, error);
    bytes[size] = '\0';
    if (got >= size)
        return bytes;
    if (got >= 0)
        dl_fail(error, DL_DATA, "%s: offset %lld: the archive is cut short", t->path,
                (long long)dl_reader_offset(t->reader));
    free(bytes);
    return NULL;
}

/* A pax header (POSIX.1-2001): records "LENGTH KEY=VALUE\n", LENGTH being of the whole record. */
static int read_pax(dl_tar *t, const char *bytes, int64_t size, dl_error *error) {
    for (int64_t at = 0; at < size && bytes[at];) {
        char *key;
        long long length = strtoll(bytes + at, &key, 10);
        bool fits = length > 4 && length <= size - at;
        const char *end = bytes + at + (fits ? length : 0), *equals = NULL;
        if (fits && *key == ' ' && end[-1] == '\n' && key + 1 < end)
            equals = memchr(key + 1, '=', (size_t)(end - key - 1));
        if (!equals)
            return dl_fail(error, DL_DATA, "%s: offset %lld: a pax header is damaged", t->path,
                           (long long)(dl_reader_offset(t->reader) - size));
        size_t count = (size_t)(end - 1 - (equals + 1));
        if (equals - key == 5 && !memcmp(key + 1, "path", 4)) {
            free(t->long_name);
            t->long_name = memcpy(xmalloc(count + 1), equals + 1, count);
            t->long_name[count] = '\0';
        } else if (equals - key == 5 && !memcmp(key + 1, "size", 4)) {
            t->size = strtoll(equals + 1, NULL, 10);
            if (t->size < 0)
                t->size = -1;
        }
        at += length;
    }
    return 0;
}

/* The size in the header: octal digits, or (GNU) a binary number behind a set first bit. */
static int64_t size_of(const char *field) {
    if (!((unsigned char)field[0] & 0x80))
        return octal(field, 12);
    uint64_t value = 0;
    for (int i = 4; i < 12; i++)
        value = value << 8 | (unsigned char)field[i];
    return (int64_t)(value & INT64_MAX);
}

void dl_tar_open(dl_tar *t, dl_reader *reader, const char *path) {
    *t = (dl_tar){.reader = reader, .path = path, .size = -1};
}

void dl_tar_close(dl_tar *t) {
    free(t->long_name);
    t->long_name = NULL;
}

static void forget_extra(dl_tar *t) {
    dl_tar_close(t);
    t->size = -1;
}

/* One member after its header. Those that describe the next one are read into `t`: 2. */
static int read_one(dl_tar *t, const char record[RECORD], dl_tar_member *m, dl_error *error) {
    char type = record[156];
    bool has_prefix = !memcmp(record + 257, "ustar", 6) && record[345];
    snprintf(t->name, sizeof t->name, "%.155s%s%.100s", has_prefix ? record + 345 : "",
             has_prefix ? "/" : "", record);
    bool describes = type == 'L' || type == 'K' || type == 'x' || type == 'g';
    int64_t size = !describes && t->size >= 0 ? t->size : size_of(record + 124);
    int64_t offset = dl_reader_offset(t->reader);
    char *bytes = read_member(t, size, error);
    if (!bytes)
        return -1;
    *m = (dl_tar_member){t->long_name ? t->long_name : t->name, type, bytes, size, offset};
    if (!describes)
        return 1;
    int result = type == 'x' ? read_pax(t, bytes, size, error) : 0;
    if (type == 'L') {
        free(t->long_name);
        t->long_name = bytes;
        return 2;
    }
    free(bytes);
    return result ? -1 : 2;
}

int dl_tar_next(dl_tar *t, dl_tar_member *m, dl_error *error) {
    char record[RECORD];
    int result = 2;
    forget_extra(t); /* of the preceding member */
    while (result == 2 && (result = read_header(t, record, error)) > 0)
        result = read_one(t, record, m, error);
    return result;
}
