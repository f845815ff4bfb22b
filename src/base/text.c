/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

static void reserve(dl_text *text, size_t more) {
    size_t need = text->length + more + 1;
    if (need <= text->capacity)
        return;
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity < need)
        capacity *= 2;
    text->data = xrealloc(text->data, capacity);
    text->capacity = capacity;
}

void dl_text_add_bytes(dl_text *text, const char *bytes, size_t count) {
    reserve(text, count);
    if (count)
        memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = '\0';
}

void dl_text_add_v(dl_text *text, const char *format, va_list arguments) {
    va_list copy;
    va_copy(copy, arguments);
    int count = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    if (count < 0) /* our formats are valid: only memory can fail */
        dl_out_of_memory(0);
    reserve(text, (size_t)count);
    vsnprintf(text->data + text->length, (size_t)count + 1, format, arguments);
    text->length += (size_t)count;
}

void dl_text_add(dl_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(text, format, arguments);
    va_end(arguments);
}

void dl_text_add_plain(dl_text *text, const char *string) {
    dl_text_add(text, "%s", string);
    dl_text_make_plain(text, text->length - strlen(string));
}

void dl_text_make_plain(dl_text *text, size_t start) {
    unsigned char *c = (unsigned char *)text->data;
    for (size_t i = start; i < text->length; i++)
        if ((c[i] < ' ' || c[i] == 127) && strncmp(text->data + i, "\n  ", 3) != 0)
            c[i] = '?';
        else if (c[i] == 0xC2 && c[i + 1] >= 0x80 && c[i + 1] < 0xA0)
            c[i] = c[i + 1] = '?';
}

const char *dl_text_get(const dl_text *text) {
    return text->data ? text->data : "";
}

void dl_text_add_field(dl_text *text, const char *field) {
    bool quoted = strpbrk(field, ",\"\n\r");
    dl_text_add(text, quoted ? "\"" : "");
    for (const char *c = field; *c; c++)
        dl_text_add(text, "%s%c", *c == '"' ? "\"" : "", *c);
    dl_text_add(text, quoted ? "\"" : "");
}

void dl_text_free(dl_text *text) {
    free(text->data);
    *text = (dl_text){0};
}

enum { LONGEST = 64 };

/* Optimal string alignment distance, with three rows of the table. */
int dl_text_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST)
        return LONGEST;
    int rows[3][LONGEST + 1], *two_above = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        above[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int change = above[j - 1] + (a[i - 1] != b[j - 1]);
            int best = change;
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                two_above[j - 2] + 1 < best)
                best = two_above[j - 2] + 1;
            row[j] = best;
        }
        int *oldest = two_above;
        two_above = above;
        above = row;
        row = oldest;
    }
    return above[m];
}

const char *dl_text_nearest(const char *word, const char *const *choices, int count) {
    const char *best = NULL;
    int best_distance = 1 + (int)strlen(word) / 3;
    for (int i = 0; i < count; i++) {
        if (!choices[i])
            continue;
        if (!strcasecmp(word, choices[i]))
            return choices[i];
        int distance = dl_text_distance(word, choices[i]);
        if (distance <= best_distance && (!best || distance < best_distance)) {
            best = choices[i];
            best_distance = distance;
        }
    }
    size_t length = strlen(word); /* else a prefix: "conv" for "conv2d" */
    for (int i = 0; !best && length >= 3 && i < count; i++)
        if (choices[i] && !strncasecmp(word, choices[i], length))
            best = choices[i];
    return best;
}

int dl_text_width(const char *text, int bytes) {
    int width = 0;
    for (int i = 0; i < bytes && text[i]; i++)
        width += ((unsigned char)text[i] & 0xC0) != 0x80;
    return width;
}

int dl_text_fitting(const char *text, int bytes, int columns) {
    int fitting = 0;
    for (int i = 0; i <= bytes; i++)
        if (i == bytes || ((unsigned char)text[i] & 0xC0) != 0x80) {
            if (dl_text_width(text, i) > columns)
                break;
            fitting = i;
        }
    return fitting;
}

int dl_text_next(const char **text) {
    const unsigned char *c = (const unsigned char *)*text;
    unsigned first = *c++, code = first;
    if (first >= 0x80) {
        int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
        code = first & (0x3Fu >> more);
        for (int i = 0; i < more; i++) {
            if ((*c & 0xC0) != 0x80) /* including the final NUL */
                return -1;
            code = code << 6 | (*c++ & 0x3Fu);
        }
        static const unsigned least[] = {0, 0x80, 0x800, 0x10000};
        if (first < 0xC2 || first > 0xF4 || code < least[more] || code > 0x10FFFF ||
            (code >= 0xD800 && code <= 0xDFFF))
            return -1;
    }
    *text = (const char *)c;
    return (int)code;
}

bool dl_text_is_utf8(const char *text) {
    while (*text)
        if (dl_text_next(&text) < 0)
            return false;
    return true;
}

void dl_text_double(char out[32], double value) {
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    if (isfinite(value) && !strpbrk(out, ".e"))
        strcat(out, ".0");
}

void dl_text_add_json(dl_text *text, const char *json) {
    for (const char *c = json; *c;) {
        const char *from = c;
        size_t number = strspn(c, "+-.0123456789eE");
        if (*c == '"') {
            for (c++; *c && *c != '"'; c++)
                c += *c == '\\' && c[1];
            c += *c == '"';
        } else if ((*c == '-' || isdigit((unsigned char)*c)) && strcspn(c, ".eE") < number) {
            char shortest[32];
            dl_text_double(shortest, strtod(c, NULL));
            dl_text_add(text, "%s", shortest);
            c += number;
            continue;
        } else {
            c += number ? number : 1;
        }
        dl_text_add_bytes(text, from, (size_t)(c - from));
    }
}

char *dl_text_count(char out[32], int64_t value) {
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)value), k = 0;
    for (int i = 0; i < length; i++) {
        out[k++] = digits[i];
        int left = length - 1 - i;
        if (left && left % 3 == 0 && digits[i] != '-')
            out[k++] = ',';
    }
    out[k] = '\0';
    return out;
}

char *dl_text_bytes(char out[32], double bytes) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    int unit = 0;
    while (bytes >= 999.5 && unit < 5) {
        bytes /= 1000;
        unit++;
    }
    snprintf(out, 32, unit && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return out;
}

char *dl_text_seconds(char out[32], double seconds) {
    if (!(seconds < 360000000.0))
        snprintf(out, 32, "-");
    else if (seconds < 0.0995)
        snprintf(out, 32, "%.*f ms",
                 !(seconds > 0) || seconds >= 0.00995 ? 0
                 : seconds < 9.5e-5                   ? 2
                                                      : 1,
                 1000 * seconds);
    else if (seconds < 59.95)
        snprintf(out, 32, "%.1f s", seconds);
    else {
        long whole = (long)(seconds + 0.5);
        if (whole < 3600)
            snprintf(out, 32, "%ld:%02ld", whole / 60, whole % 60);
        else
            snprintf(out, 32, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    }
    return out;
}

void dl_text_add_wrapped(dl_text *text, const char *words, int indent, int column) {
    while (*words) {
        size_t length = strcspn(words, " ");
        int width = dl_text_width(words, (int)length);
        if (column > indent && column + 1 + width > 80) {
            dl_text_add(text, "\n");
            column = 0;
        }
        if (column < indent) {
            dl_text_add(text, "%*s", indent - column, "");
            column = indent;
        } else if (column) {
            dl_text_add(text, " ");
            column++;
        }
        dl_text_add_bytes(text, words, length);
        column += width;
        words += length;
        words += strspn(words, " ");
    }
    dl_text_add(text, "\n");
}
