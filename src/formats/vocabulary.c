/* SPDX-License-Identifier: MIT */
#include "formats/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

const char dl_unknown_word[] = "<unknown>";

/* ---- characters ---- */

static bool is_blank(int code) {
    return code <= ' ' || (code >= 127 && code <= 0xA0) || (code >= 0x2000 && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202F) || code == 0x3000 || code == 0xFEFF;
}

/* Non-ASCII characters other than punctuation count as letters. */
static bool is_letter(int code) {
    if (code < 128)
        return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
               (code >= '0' && code <= '9');
    if (code < 0xC0)
        return code == 0xAA || code == 0xB5 || code == 0xBA;
    bool punctuation = code == 0xD7 || code == 0xF7 || (code >= 0x2010 && code <= 0x205E) ||
                       (code >= 0x3001 && code <= 0x3003) || (code >= 0x3008 && code <= 0x3011);
    return !punctuation && !is_blank(code);
}

static bool is_apostrophe(int code) {
    return code == '\'' || code == 0x2019;
}

static int to_lower(int code) {
    bool by_32 = (code >= 'A' && code <= 'Z') || (code >= 0xC0 && code <= 0xDE && code != 0xD7) ||
                 (code >= 0x391 && code <= 0x3A9) || (code >= 0x410 && code <= 0x42F);
    return by_32 ? code + 32 : code >= 0x400 && code <= 0x40F ? code + 80 : code;
}

/* Adds the character [from, to), optionally in lower case, which has the same number of bytes. */
static int add_character(char *out, int length, int code, const char *from, const char *to,
                         bool lower) {
    int lowered = lower ? to_lower(code) : code, bytes = (int)(to - from);
    memcpy(out + length, from, (size_t)bytes);
    if (lowered != code && bytes == 1)
        out[length] = (char)lowered;
    else if (lowered != code) { /* two bytes */
        out[length] = (char)(0xC0 | lowered >> 6);
        out[length + 1] = (char)(0x80 | (lowered & 63));
    }
    return length + bytes;
}

int dl_word_next(const char **at, const char *end, bool lower, char out[DL_MAX_WORD + 1]) {
    int length = 0;
    while (*at < end) {
        const char *from = *at, *to = from;
        int code = dl_text_next(&to);
        if (code < 0)
            return length ? length : -1;
        const char *after = to;
        int next = is_apostrophe(code) && to < end ? dl_text_next(&after) : 0;
        bool letter = is_letter(code) || (length && is_apostrophe(code) && is_letter(next));
        if (length && (!letter || length + (to - from) > DL_MAX_WORD))
            break;
        *at = to;
        if (is_blank(code))
            continue;
        length = add_character(out, length, code, from, to, lower);
        if (!letter)
            break;
    }
    out[length] = '\0';
    return length;
}

/* ---- the vocabulary ---- */

typedef struct {
    const char *name;
    int64_t count;
} frequency;

static int by_count(const void *a, const void *b) {
    const frequency *p = a, *q = b;
    if (p->count != q->count)
        return p->count < q->count ? 1 : -1;
    return strcmp(p->name, q->name);
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void dl_vocabulary_build(const dl_string_set *names, const int64_t *count, int max,
                         dl_schema *schema) {
    int kept = names->count < max ? names->count : max;
    frequency *all = xmalloc(sizeof *all * (size_t)(names->count + 1));
    for (int i = 0; i < names->count; i++)
        all[i] = (frequency){names->name[i], count[i]};
    qsort(all, (size_t)names->count, sizeof *all, by_count);
    schema->classes = kept + 1;
    schema->class_names = xcalloc((size_t)schema->classes, sizeof *schema->class_names);
    schema->class_names[0] = xstrdup(dl_unknown_word);
    for (int i = 0; i < kept; i++)
        schema->class_names[i + 1] = xstrdup(all[i].name);
    qsort(schema->class_names + 1, (size_t)kept, sizeof *schema->class_names, by_bytes);
    free(all);
}
