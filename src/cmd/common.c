/* SPDX-License-Identifier: MIT */
#include "cmd/common.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/version.h"
#include "math/backend.h"
#include "math/blas_core.h"
#include "math/blas_memory.h"
#include "math/threads.h"

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

/* A thread that waits for the others at the end of a parallel loop spins for a while before it
   sleeps: by default for so long that two programs on one machine, or the thread that loads data,
   slow each other down tenfold. The OpenMP libraries read how long only from the environment, and
   only when they are loaded. */
static bool limit_spinning(void) {
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY") || getenv("KMP_BLOCKTIME"))
        return false; /* the user's own choice, or the second start */
    return !setenv("GOMP_SPINCOUNT", "2000", 1) && !setenv("KMP_BLOCKTIME", "0", 1);
}

/* Libraries read their settings when they are loaded: where any must change, the program starts
   itself once more. Without /proc it goes on as it is. */
static void set_up_libraries(char **argv) {
    bool changed = limit_spinning();
    if (dl_blas_core_set() || changed)
        execv("/proc/self/exe", argv);
    if (!dl_blas_core_check()) {
        fprintf(stderr,
                "%s: the kernels of OpenBLAS for %s give wrong products here: "
                "set OPENBLAS_CORETYPE to another core, such as Haswell or Nehalem\n",
                argv[0], dl_blas_core_description());
        exit(DL_FAILURE);
    }
}

void cmd_start(char **argv) {
    json_set_alloc_funcs(xmalloc, free); /* no JSON value is missing for want of memory */
    set_up_libraries(argv);
    int descriptor;
    do
        descriptor = open("/dev/null", O_RDWR);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0)
        close(descriptor);
    static char
        buffer[1 << 17]; /* whole, so that the last flush is the one that fails, with errno */
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
}

int cmd_set_threads(const char *program, int threads) {
    dl_error error = {0};
    if (dl_blas_memory_reserve(threads, &error))
        return cmd_fail(program, &error);
    dl_threads_set(threads);
    return 0;
}

int cmd_unknown_option(const char *program, char *const *argv, const void *long_options) {
    const char *given = argv[optind - 1], *names[64] = {0};
    if (optopt && optopt < 256) /* a letter, perhaps one of several: optind is not past it yet */
        return cmd_usage(program, "there is no option -%c", optopt);
    size_t length = strcspn(given + 2, "=");
    int count = 0;
    for (const struct option *o = long_options; o->name && count < 64; o++) {
        names[count++] = o->name;
        if (strlen(o->name) != length || strncmp(o->name, given + 2, length))
            continue;
        if (o->has_arg == no_argument)
            return cmd_usage(program, "--%s takes no value", o->name);
        return cmd_usage(program, "--%s needs a value", o->name);
    }
    dl_text name = {0};
    dl_text_add_bytes(&name, given + 2, length);
    const char *nearest = dl_text_nearest(name.data, names, count);
    dl_text_free(&name);
    return cmd_usage(program, "there is no option --%.*s%s%s%s", (int)length, given + 2,
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

bool cmd_real(const char *program, const char *option, const char *text, double low, double high,
              double *value) {
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number >= low && number <= high)) {
        cmd_usage(program, "%s %s: must be a number from %g to %g", option, text, low, high);
        return false;
    }
    *value = number;
    return true;
}

bool cmd_backend(const char *program, const char *name) {
    int count = 0;
    for (; dl_backend_names[count]; count++)
        if (!strcmp(dl_backend_names[count], name)) {
            if (count == DL_BACKEND_ONEDNN && !dl_backend_has_onednn()) {
                cmd_usage(program, "--backend onednn: this dltrain was built without oneDNN");
                return false;
            }
            dl_backend_set((dl_backend)count);
            return true;
        }
    const char *nearest = dl_text_nearest(name, dl_backend_names, count);
    cmd_usage(program, "--backend %s: must be auto, openblas or onednn%s%s%s", name,
              nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
    return false;
}

void cmd_version(const char *program) {
    printf("%s %s (%s)\n", program, DL_VERSION, dl_backend_description());
}

char *cmd_beside(const char *argv0, const char *other) {
    const char *slash = strrchr(argv0, '/');
    dl_text path = {0};
    dl_text_add(&path, "%.*s%s", slash ? (int)(slash + 1 - argv0) : 0, argv0, other);
    return path.data;
}

char *cmd_quoted(const char *path) {
    bool plain = *path != '\0';
    for (const char *c = path; *c; c++)
        plain &=
            isalnum((unsigned char)*c) || (unsigned char)*c >= 0x80 || strchr("_./:@%+=,-", *c);
    if (plain)
        return xstrdup(path);
    dl_text quoted = {0};
    dl_text_add(&quoted, "'");
    for (const char *c = path; *c; c++)
        dl_text_add(&quoted, *c == '\'' ? "'\\%c'" : "%c", *c);
    dl_text_add(&quoted, "'");
    return quoted.data;
}

json_t *cmd_json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cmd_json_string(const char *text) {
    json_t *string = json_string(text);
    if (string)
        return string;
    char *copy = xstrdup(text); /* not UTF-8: a file's name, say */
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    string = json_string(copy);
    free(copy);
    return string;
}

static int trouble; /* errno of the first failure to print */

bool cmd_flush(void) {
    errno = 0;
    if ((fflush(stdout) || ferror(stdout)) && !trouble)
        trouble = errno ? errno : EIO;
    return !trouble;
}

void cmd_print_json(json_t *object, size_t flags) {
    char *text = json_dumps(object, flags);
    puts(text);
    cmd_flush();
    free(text);
    json_decref(object);
}

int cmd_finish(const char *program, int status) {
    cmd_flush();
    if (!trouble)
        return status;
    fprintf(stderr, "%s: standard output: %s\n", program, strerror(trouble));
    return status ? status : DL_FAILURE;
}
