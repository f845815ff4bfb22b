/* SPDX-License-Identifier: MIT */
/* Growing strings, spelling hints and numbers for people. */
#ifndef DL_BASE_TEXT_H
#define DL_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#define DL_PRINTF(string, first) __attribute__((format(printf, string, first)))
#else
#define DL_PRINTF(string, first)
#endif

/* A string that grows. All zero is a valid empty one; `data` is NULL or ends in NUL. */
typedef struct {
    char *data;
    size_t length, capacity;
} dl_text;

void dl_text_add(dl_text *text, const char *format, ...) DL_PRINTF(2, 3);
void dl_text_add_v(dl_text *text, const char *format, va_list arguments) DL_PRINTF(2, 0)
    __attribute__((nonnull));
void dl_text_add_bytes(dl_text *text, const char *bytes, size_t count);
/* Adds a string that comes from elsewhere, for a terminal: "?" for control characters. */
void dl_text_add_plain(dl_text *text, const char *string);
/* The string, never NULL; still owned by `text`. */
const char *dl_text_get(const dl_text *text);
/* Empties it and frees its memory. */
void dl_text_free(dl_text *text);

/* The number of single-letter edits (insert, delete, change, swap of neighbours) from a to b. */
int dl_text_distance(const char *a, const char *b);
/* The member of choices[0..count) nearest to `word`, or NULL if none is near enough to be meant;
   members may be NULL. */
const char *dl_text_nearest(const char *word, const char *const *choices, int count);

/* The columns that the first `bytes` bytes of UTF-8 text take: its characters. */
int dl_text_width(const char *text, int bytes);
/* How many of the first `bytes` bytes fit into so many columns. */
int dl_text_fitting(const char *text, int bytes, int columns);
bool dl_text_is_utf8(const char *text);
/* The number of the character that UTF-8 text begins with, behind which *text is moved; -1, and not
   moved, if it is not UTF-8. Reads no further than a NUL, which is character 0. */
int dl_text_next(const char **text);

/* The shortest decimal that reads back as `value`, always with a point or an exponent, so that a
   config file reads it as a float. Writes at most 32 bytes. */
void dl_text_double(char out[32], double value);
/* Adds JSON, each of whose numbers with a point or an exponent becomes the shortest one that reads
   back as the same double (libraries print 17 digits). */
void dl_text_add_json(dl_text *text, const char *json);
/* 1234567 as "1,234,567"; returns `out`. */
char *dl_text_count(char out[32], int64_t value);
/* Bytes as "1.5 MB" (decimal units); returns `out`. */
char *dl_text_bytes(char out[32], double bytes);
/* Seconds as "3.5 ms", "40 ms", "0.4 s", "2:05" or "1:02:03"; returns `out`. */
char *dl_text_seconds(char out[32], double seconds);

/* Adds words, broken at column 80 and indented by `indent`, and a newline; `column`: where the line
   is now. */
void dl_text_add_wrapped(dl_text *text, const char *words, int indent, int column);

#endif
