/* SPDX-License-Identifier: MIT */
#include "config/literal.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

enum { MAX_DEPTH = 10, MAX_SIZE = 1 << 22 };

typedef struct {
    const char *at, *name, *folder; /* folder NULL: a command-line value, without lines */
    int line, depth, result;
    bool only_includes; /* check only that includes are safe for libconfig */
    bool *too_deep;     /* reported; stop reading files */
    dl_error *error;
} scanner;

static void report(scanner *s, const char *what) {
    s->result = s->folder ? dl_fail(s->error, DL_USAGE, "%s:%d: %s", s->name, s->line, what)
                          : dl_fail(s->error, DL_USAGE, "%s: %s", s->name, what);
}

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

/* Whether libconfig reads an integer literal exactly. */
static bool is_exact(const char *start, const char *digits, bool hexadecimal, char **end) {
    errno = 0;
    unsigned long long value = strtoull(digits, end, hexadecimal ? 16 : 10);
    unsigned long long max = (**end == 'L' ? (unsigned long long)INT64_MAX : INT32_MAX);
    return errno != ERANGE && value <= max + (*start == '-');
}

static void check_number(scanner *s) {
    const char *start = s->at, *digits = start + (*start == '-' || *start == '+');
    bool hexadecimal = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    char *end;
    dl_text what = {0};
    bool exact = is_exact(start, digits, hexadecimal, &end);
    if (!hexadecimal && (*end == '.' || *end == 'e' || *end == 'E')) {
        strtod(start, &end);
    } else if (!exact) {
        errno = 0;
        strtoll(start, NULL, hexadecimal ? 16 : 10);
        bool wide = *end != 'L' && errno != ERANGE;
        dl_text_add(&what, "%.*s is too large for an integer%s", (int)(end - start), start,
                    wide ? " of 32 bits (append an L if it is intended)" : "");
    }
    if (what.data && !s->only_includes)
        report(s, what.data);
    dl_text_free(&what);
    s->at = end;
    while (*s->at == 'L')
        s->at++;
}

static int scan(scanner s);

/* Scans an included file. Errors of the file itself are added to `what`. */
static void scan_file(scanner *s, const char *path, dl_text *what) {
    struct stat info;
    int64_t size;
    dl_error file_error = {0};
    bool exists = stat(path, &info) == 0, irregular = exists && !S_ISREG(info.st_mode);
    char *text = irregular ? NULL : dl_file_read(path, MAX_SIZE, &size, DL_USAGE, &file_error);
    if (irregular) {
        dl_text_add(what, "cannot include %s: not a file", path);
    } else if (!text) {
        if (exists || !s->only_includes) /* else libconfig reports it */
            dl_text_add(what, "cannot include %s", dl_text_get(&file_error.text));
    } else if (s->depth == MAX_DEPTH) {
        dl_text_add(what, "files are included %d levels deep: does one include itself?", MAX_DEPTH);
        *s->too_deep = true;
    } else {
        scanner inner = *s;
        inner.at = text;
        inner.name = path;
        inner.line = 1;
        inner.depth++;
        inner.result = 0;
        s->result |= scan(inner);
    }
    dl_error_clear(&file_error);
    free(text);
}

static void check_included(scanner *s) {
    const char *open = strchr(s->at, '"'), *close = open ? strchr(open + 1, '"') : NULL;
    s->at += strlen("@include");
    if (!s->folder && s->only_includes)
        report(s, "a config inside a checkpoint must not include files");
    if (!close || !s->folder)
        return; /* libconfig reports it */
    s->at = close + 1;
    if (*s->too_deep) /* else a file that includes itself twice is read 1024 times */
        return;
    dl_text file = {0}, what = {0};
    dl_text_add_bytes(&file, open + 1, (size_t)(close - open - 1));
    char *path = dl_path_join(s->folder, dl_text_get(&file));
    scan_file(s, path, &what);
    if (what.data)
        report(s, what.data);
    free(path);
    dl_text_free(&file);
    dl_text_free(&what);
}

static int scan(scanner s) {
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

int dl_literals_check(const char *text, const char *name, const char *folder, dl_error *error) {
    bool too_deep = false;
    return scan((scanner){text, name, folder, 1, 0, 0, false, &too_deep, error});
}

int dl_includes_check(const char *text, const char *name, const char *folder, dl_error *error) {
    bool too_deep = false;
    return scan((scanner){text, name, folder, 1, 0, 0, true, &too_deep, error});
}
