#include "cmd/common.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/threads.h"
#include "train/version.h"

int cmd_fail(const char *program, const dl_error *error) {
    const char *line = dl_text_get(&error->text);
    while (*line) {
        size_t length = strcspn(line, "\n");
        fprintf(stderr, "%s: %.*s\n", program, (int)length, line);
        line += length + (line[length] == '\n');
    }
    return error->code;
}

int cmd_usage(const char *program, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nTry %s --help.\n", program);
    va_end(arguments);
    return DL_USAGE;
}

int cmd_unknown_option(const char *program, const char *given, const void *long_options) {
    const char *names[64] = {0};
    int count = 0;
    for (const struct option *o = long_options; o->name && count < 64; o++) {
        names[count++] = o->name;
        size_t length = strcspn(given + 2, "=");
        if (!strncmp(given, "--", 2) && strlen(o->name) == length &&
            !strncmp(o->name, given + 2, length))
            return cmd_usage(program, "--%s needs a value", o->name);
    }
    const char *nearest =
        given[0] == '-' && given[1] == '-' ? dl_text_nearest(given + 2, names, count) : NULL;
    return cmd_usage(program, "there is no option %s%s%s%s", given,
                     nearest ? " (did you mean --" : "", nearest ? nearest : "",
                     nearest ? "?)" : "");
}

bool cmd_number(const char *program, const char *option, const char *text, int64_t low,
                int64_t high, int64_t *value) {
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno || number < low || number > high) {
        cmd_usage(program, "%s %s: must be a whole number from %lld to %lld", option, text,
                  (long long)low, (long long)high);
        return false;
    }
    *value = number;
    return true;
}

void cmd_version(const char *program) {
    printf("%s %s (%s)\n", program, DL_VERSION, dl_blas_description());
}

int cmd_finish(const char *program, int status) {
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "%s: standard output: %s\n", program, strerror(errno));
        return status ? status : DL_FAILURE;
    }
    return status;
}
