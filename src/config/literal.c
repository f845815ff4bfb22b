#include "config/literal.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { DEEPEST = 10, LARGEST = 1 << 22 };

typedef struct {
    const char *at, *name, *folder;
    int line, depth, result;
    dl_error *error;
} scanner;

static void skip_comment(scanner *s) {
    if (s->at[0] == '/' && s->at[1] == '*') {
        const char *end = strstr(s->at + 2, "*/");
        for (; *s->at && s->at != end; s->at++)
            s->line += *s->at == '\n';
        s->at += *s->at ? 2 : 0;
    } else
        s->at += strcspn(s->at, "\n");
}

static void skip_string(scanner *s) {
    for (s->at++; *s->at && *s->at != '"'; s->at++) {
        if (*s->at == '\\' && s->at[1])
            s->at++;
        s->line += *s->at == '\n';
    }
    s->at += *s->at == '"';
}

static void check_number(scanner *s) {
    const char *start = s->at;
    bool hexadecimal = s->at[0] == '0' && (s->at[1] == 'x' || s->at[1] == 'X');
    char *end;
    errno = 0;
    bool negative = *start == '-';
    const char *digits = start + (*start == '-' || *start == '+');
    unsigned long long value = strtoull(digits, &end, hexadecimal ? 16 : 10);
    bool overflow = errno == ERANGE;
    if (!hexadecimal && (*end == '.' || *end == 'e' || *end == 'E')) {
        strtod(start, &end);
        s->at = end;
        return;
    }
    bool wide = *end == 'L';
    unsigned long long most = wide          ? (unsigned long long)INT64_MAX + negative
                              : hexadecimal ? UINT32_MAX
                                            : (unsigned long long)INT32_MAX + negative;
    if (overflow || value > most)
        s->result = dl_fail(
            s->error, DL_USAGE, "%s:%d: %.*s is too large for a whole number%s", s->name, s->line,
            (int)(end - start), start,
            wide || overflow || value > INT64_MAX ? "" : " (write an L behind it if it is meant)");
    s->at = end;
    while (*s->at == 'L')
        s->at++;
}

static void check_included(scanner *s) {
    const char *open = strchr(s->at, '"'), *close = open ? strchr(open + 1, '"') : NULL;
    if (!close)
        return;
    dl_text file = {0};
    dl_text_add_bytes(&file, open + 1, (size_t)(close - open - 1));
    char *path = dl_path_join(s->folder, file.data);
    int64_t size;
    char *text = NULL;
    if (s->depth < DEEPEST)
        text = dl_file_read(path, LARGEST, &size, DL_USAGE, s->error);
    if (text)
        s->result |= dl_literals_check(text, path, s->folder, s->depth + 1, s->error);
    free(text);
    free(path);
    dl_text_free(&file);
    s->at = close + 1;
}

int dl_literals_check(const char *text, const char *name, const char *folder, int depth,
                      dl_error *error) {
    scanner s = {text, name, folder, 1, depth, 0, error};
    while (*s.at) {
        unsigned char c = (unsigned char)*s.at;
        if (c == '#' || (c == '/' && (s.at[1] == '/' || s.at[1] == '*')))
            skip_comment(&s);
        else if (c == '"')
            skip_string(&s);
        else if (isalpha(c) || c == '_' || c == '*')
            while (isalnum((unsigned char)*s.at) || (*s.at && strchr("-_*", *s.at)))
                s.at++;
        else if (isdigit(c) || ((c == '-' || c == '+') && isdigit((unsigned char)s.at[1])))
            check_number(&s);
        else if (c == '@' && !strncmp(s.at, "@include", 8))
            check_included(&s);
        else {
            s.line += c == '\n';
            s.at++;
        }
    }
    return s.result;
}
