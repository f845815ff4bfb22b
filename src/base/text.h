/* SPDX-License-Identifier: MIT */
/* Growing strings, spelling hints, and formatting of numbers. */
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

/* A growing string. All zero is an empty string; `data` is NULL or NUL-terminated. */
typedef struct {
    char *data;
    size_t length, capacity;
} dl_text;

void dl_text_add(dl_text *text, const char *format, ...) DL_PRINTF(2, 3);
void dl_text_add_v(dl_text *text, const char *format, va_list arguments) DL_PRINTF(2, 0)
    __attribute__((nonnull));
void dl_text_add_bytes(dl_text *text, const char *bytes, size_t count);
/* Adds an untrusted string with "?" for control characters, safe for a terminal. */
void dl_text_add_plain(dl_text *text, const char *string);
/* Replaces the control characters of the text, from byte `start` on, by "?", except for newlines
   before two spaces: the lines of a list. */
void dl_text_make_plain(dl_text *text, size_t start);
/* Adds a field of a CSV file, quoted if necessary. */
void dl_text_add_field(dl_text *text, const char *field);
/* The string, never NULL; borrowed. */
const char *dl_text_get(const dl_text *text);

void dl_text_free(dl_text *text);

/* Edit distance: insertions, deletions, substitutions and transpositions of adjacent letters. */
int dl_text_distance(const char *a, const char *b);
/* The member of choices[count] that `word` probably means, or NULL; members may be NULL. */
const char *dl_text_nearest(const char *word, const char *const *choices, int count);

/* Characters in the first `bytes` bytes of UTF-8 text. */
int dl_text_width(const char *text, int bytes);
/* The longest prefix of the first `bytes` bytes that fits in `columns` columns. */
int dl_text_fitting(const char *text, int bytes, int columns);
bool dl_text_is_utf8(const char *text);
/* The code point at *text, which is advanced; -1, and not advanced, if it is not UTF-8. Never reads
   past a NUL, which is code point 0. */
int dl_text_next(const char **text);

/* The shortest decimal that reads back as `value`, with a point or an exponent so that libconfig
   reads a float. */
void dl_text_double(char out[32], double value);
/* Adds JSON with each real number in its shortest exact form. */
void dl_text_add_json(dl_text *text, const char *json);
/* 1234567 as "1,234,567"; returns `out`. */
char *dl_text_count(char out[32], int64_t value);
/* Bytes as "1.5 MB" (decimal units); returns `out`. */
char *dl_text_bytes(char out[32], double bytes);
/* Seconds as "3.5 ms", "40 ms", "0.4 s", "2:05" or "1:02:03"; returns `out`. */
char *dl_text_seconds(char out[32], double seconds);

/* Adds words wrapped at column 80, indented by `indent`, and a newline; `column`: the current
   column. */
void dl_text_add_wrapped(dl_text *text, const char *words, int indent, int column);

#endif
