/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/csv.h"

enum { FIRST_BUFFER = 1 << 18, LARGEST_RECORD = 1 << 26, MOST_FIELDS = 100000 };

static bool is_blank(const dl_csv_reader *csv, char c) {
    return (c == ' ' || c == '\t') && c != csv->delimiter;
}

static void begin_reading(dl_csv_reader *csv, const char *path, char delimiter, dl_reader *reader) {
    *csv = (dl_csv_reader){
        .path = path, .delimiter = delimiter, .next_line = 1, .newline = '\n', .reader = reader};
    csv->capacity = FIRST_BUFFER;
    csv->buffer = xmalloc(csv->capacity + 1);
}

int dl_csv_open(dl_csv_reader *csv, const char *path, char delimiter, dl_error *error) {
    dl_reader *reader = dl_reader_open(path, DL_DATA, error);
    if (!reader) {
        *csv = (dl_csv_reader){0};
        return -1;
    }
    begin_reading(csv, path, delimiter, reader);
    return 0;
}

void dl_csv_open_stream(dl_csv_reader *csv, dl_reader *reader, const char *path, char delimiter) {
    begin_reading(csv, path, delimiter, reader);
}

void dl_csv_close(dl_csv_reader *csv) {
    dl_reader_close(csv->reader);
    free(csv->buffer);
    free(csv->field);
    *csv = (dl_csv_reader){0};
}

/* Brings more of the file into the buffer, which grows if the record at hand fills it. */
static int refill(dl_csv_reader *csv, dl_error *error) {
    bool beginning = dl_reader_offset(csv->reader) == 0;
    memmove(csv->buffer, csv->buffer + csv->start, csv->end - csv->start);
    csv->end -= csv->start;
    csv->start = 0;
    if (csv->end == csv->capacity) {
        if (csv->capacity >= LARGEST_RECORD)
            return dl_fail(error, DL_DATA,
                           "%s:%lld: the row that starts here is longer than %d bytes; is a "
                           "closing quote missing?",
                           csv->path, (long long)csv->line, LARGEST_RECORD);
        csv->capacity *= 2;
        csv->buffer = xrealloc(csv->buffer, csv->capacity + 1);
    }
    int64_t wanted = (int64_t)(csv->capacity - csv->end);
    int64_t got = dl_reader_read(csv->reader, csv->buffer + csv->end, wanted, error);
    if (got < 0)
        return -1;
    csv->at_end = dl_reader_is_stream(csv->reader) ? !got : got < wanted;
    csv->end += (size_t)got;
    if (beginning && csv->end >= 3 && !memcmp(csv->buffer, "\xef\xbb\xbf", 3))
        csv->start = 3; /* the byte order mark of UTF-8 */
    if (beginning)      /* lines of an old Macintosh end with CR alone */
        csv->newline = !memchr(csv->buffer, '\n', csv->end) && memchr(csv->buffer, '\r', csv->end)
                           ? '\r'
                           : '\n';
    return 0;
}

typedef enum { BEFORE_FIELD, PLAIN, QUOTED, AFTER_QUOTE } state;

/* Where the newline that ends the record is, if quotes are heeded; NULL if not in the buffer.
   `*open` is set if a quote is open at the buffer's end. */
static char *find_end(const dl_csv_reader *csv, bool *open) {
    state s = BEFORE_FIELD;
    char *end = csv->buffer + csv->end;
    for (char *c = csv->buffer + csv->start; c < end; c++) {
        if (s == QUOTED) {
            c = memchr(c, '"', (size_t)(end - c));
            if (!c)
                break;
            s = AFTER_QUOTE;
        } else if (*c == csv->newline) {
            return c;
        } else if (*c == csv->delimiter) {
            s = BEFORE_FIELD;
        } else if (*c == '"' && (s == BEFORE_FIELD || s == AFTER_QUOTE)) {
            s = QUOTED;
        } else if (!is_blank(csv, *c) || s == AFTER_QUOTE) {
            s = s == AFTER_QUOTE ? AFTER_QUOTE : PLAIN;
        }
    }
    *open = s == QUOTED;
    return NULL;
}

/* The record's length in the buffer with its newline, `*text` without; 0 if there are no more, or
   -1 and an error. */
static int64_t take_record(dl_csv_reader *csv, size_t *text, dl_error *error) {
    for (;;) {
        char *start = csv->buffer + csv->start;
        size_t left = csv->end - csv->start;
        bool open = false;
        char *newline = left ? memchr(start, csv->newline, left) : NULL;
        size_t known = newline ? (size_t)(newline - start) : left;
        if (left && memchr(start, '"', known))
            newline = find_end(csv, &open);
        if (!newline && !csv->at_end) {
            if (refill(csv, error))
                return -1;
            continue;
        }
        if (open)
            return dl_fail(error, DL_DATA,
                           "%s:%lld: a quote in the row that starts here is never closed",
                           csv->path, (long long)csv->line);
        *text = newline ? (size_t)(newline - start) : left;
        return (int64_t)*text + (newline != NULL);
    }
}

static int add_field(dl_csv_reader *csv, char *text, dl_error *error) {
    if (csv->fields == MOST_FIELDS)
        return dl_fail(error, DL_DATA, "%s:%lld: the row has more than %d fields", csv->path,
                       (long long)csv->line, MOST_FIELDS);
    if (csv->fields == csv->room) {
        csv->room = csv->room ? 2 * csv->room : 64;
        csv->field = xrealloc(csv->field, sizeof *csv->field * (size_t)csv->room);
    }
    csv->field[csv->fields++] = text;
    return 0;
}

/* Undoes the quoting of the field that begins with the quote at `c`, in place. Returns the
   delimiter or the record's end behind it; NULL and an error if something else is there. */
static char *unquote(dl_csv_reader *csv, char *c, char *end, dl_error *error) {
    char *to = c;
    for (c++; c < end; c++) {
        if (*c == '"' && !(c + 1 < end && c[1] == '"'))
            break;
        c += *c == '"';
        *to++ = *c;
    }
    for (c++; c < end && is_blank(csv, *c); c++)
        continue;
    if (c < end && *c != csv->delimiter) {
        dl_fail(error, DL_DATA,
                "%s:%lld: field %d goes on after its closing quote (a quote within a field is "
                "written twice)",
                csv->path, (long long)csv->line, csv->fields + 1);
        return NULL;
    }
    *to = '\0';
    return c;
}

/* Splits [c, end) at the delimiters; `*end` may be overwritten. */
static int split(dl_csv_reader *csv, char *c, char *end, dl_error *error) {
    for (csv->fields = 0;; c++) {
        while (c < end && is_blank(csv, *c))
            c++;
        char *start = c;
        if (c < end && *c == '"') {
            c = unquote(csv, c, end, error);
            if (!c)
                return -1;
        } else {
            while (c < end && *c != csv->delimiter)
                c++;
            char *last = c;
            while (last > start && is_blank(csv, last[-1]))
                last--;
            bool more = c < end;
            *last = '\0';
            if (add_field(csv, start, error))
                return -1;
            if (!more)
                return 0;
            continue;
        }
        if (add_field(csv, start, error))
            return -1;
        if (c >= end)
            return 0;
    }
}

int dl_csv_next(dl_csv_reader *csv, dl_error *error) {
    for (;;) {
        size_t text = 0;
        csv->line = csv->next_line;
        int64_t length = take_record(csv, &text, error);
        if (length <= 0)
            return (int)length;
        char *start = csv->buffer + csv->start;
        for (char *c = start; c < start + length; c++, csv->next_line++)
            if (!(c = memchr(c, csv->newline, (size_t)(start + length - c))))
                break;
        csv->start += (size_t)length;
        if (memchr(start, '\0', text))
            return dl_fail(error, DL_DATA,
                           "%s:%lld: there is a NUL byte in the row that starts here: not a text "
                           "file, or UTF-16 (save it as UTF-8)",
                           csv->path, (long long)csv->line);
        char *end = start + text;
        if (end > start && end[-1] == '\r')
            end--;
        char *c = start;
        while (c < end && is_blank(csv, *c))
            c++;
        if (c == end)
            continue;
        return split(csv, start, end, error) ? -1 : 1;
    }
}
