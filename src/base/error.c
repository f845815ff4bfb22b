/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

int dl_fail(dl_error *error, dl_code code, const char *format, ...) {
    if (error->count++ == 0)
        error->code = code;
    else
        dl_text_add(&error->text, "\n");
    va_list arguments;
    va_start(arguments, format);
    size_t start = error->text.length;
    dl_text_add_v(&error->text, format, arguments);
    dl_text_make_plain(&error->text, start);
    va_end(arguments);
    return -1;
}

typedef struct {
    const char *text;
    int length, file; /* bytes of the message and of its file name */
    long line;        /* 0: the message has no file:line */
} message;

static message read_message(const char *text) {
    message m = {text, (int)strcspn(text, "\n"), 0, 0};
    for (int i = 0; i < m.length && !m.line; i++) {
        char *end;
        m.line = text[i] == ':' ? strtol(text + i + 1, &end, 10) : 0;
        if (m.line > 0 && *end != ':')
            m.line = 0;
        m.file = i;
    }
    return m;
}

static bool is_after(const message *a, const message *b) {
    return a->file == b->file && !strncmp(a->text, b->text, (size_t)a->file) && b->line > 0 &&
           a->line > b->line;
}

void dl_error_sort(dl_error *error) {
    message *list = xcalloc((size_t)error->count, sizeof *list);
    const char *text = dl_text_get(&error->text);
    for (int i = 0; i < error->count; i++) {
        message m = read_message(text);
        text += m.length + (text[m.length] == '\n');
        int slot = i; /* stable insertion: incomparable messages keep their order */
        for (; slot > 0 && is_after(&list[slot - 1], &m); slot--)
            list[slot] = list[slot - 1];
        list[slot] = m;
    }
    dl_text sorted = {0};
    for (int i = 0; i < error->count; i++)
        dl_text_add(&sorted, "%s%.*s", i ? "\n" : "", list[i].length, list[i].text);
    dl_text_free(&error->text);
    error->text = sorted;
    free(list);
}

void dl_error_clear(dl_error *error) {
    dl_text_free(&error->text);
    *error = (dl_error){0};
}
