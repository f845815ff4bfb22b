/* SPDX-License-Identifier: MIT */
#include "cmd/common.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
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

/* A thread that waits at the end of a parallel loop spins before it sleeps, by default for so long
   that two programs on one machine, or the loader's threads, slow each other down tenfold. OpenMP
   libraries read the limit from the environment when they are loaded. */
static bool limit_spinning(void) {
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY") || getenv("KMP_BLOCKTIME"))
        return false; /* the user's choice, or already restarted */
    return !setenv("GOMP_SPINCOUNT", "2000", 1) && !setenv("KMP_BLOCKTIME", "0", 1);
}

/* Libraries read their settings when they are loaded: if one must change, the program restarts
   itself. Without /proc it continues unchanged. */
static void set_up_libraries(char **argv) {
    bool changed = limit_spinning();
    if (dl_blas_core_set() || changed)
        execv("/proc/self/exe", argv);
    if (!dl_blas_core_check()) {
        fprintf(stderr,
                "%s: the kernels of OpenBLAS for %s compute wrong products on this processor: "
                "set OPENBLAS_CORETYPE to another core, such as Haswell or Nehalem\n",
                argv[0], dl_blas_core_description());
        exit(DL_FAILURE);
    }
}

void cmd_start(char **argv) {
    json_set_alloc_funcs(xmalloc, free); /* fails loudly if memory runs out */
    set_up_libraries(argv);
    int descriptor;
    do
        descriptor = open("/dev/null", O_RDWR);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0)
        close(descriptor);
    static char buffer[1 << 17]; /* large: the last flush is the one that fails, with errno */
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
}

int cmd_set_threads(int threads, dl_error *error) {
    if (dl_blas_memory_reserve(threads, error))
        return -1;
    dl_threads_set(threads);
    return 0;
}

static const char *quitting; /* the program */

static void on_signal_quit(int number) {
    static const char line[] = ": interrupted; nothing was saved\n";
    ssize_t ignored = write(STDERR_FILENO, quitting, strlen(quitting));
    ignored += write(STDERR_FILENO, line, sizeof line - 1);
    (void)ignored;
    _exit(128 + number);
}

static void watch_signals(void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, before;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* exceeding the file size limit is an error like a full disk */
    if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN) /* not under nohup */
        sigaction(SIGHUP, &action, NULL);
}

void cmd_watch_signals(void (*handler)(int)) {
    watch_signals(handler, SA_RESTART);
}

void cmd_quit_on_signals(const char *program) {
    quitting = program;
    watch_signals(on_signal_quit, 0);
}

void cmd_version(const char *program) {
    printf("%s %s (%s)\n", program, DL_VERSION, dl_backend_description());
}

char *cmd_beside(const char *argv0, const char *other) {
    const char *slash = strrchr(argv0, '/');
    dl_text path = {0};
    dl_text_add(&path, "%.*s%s", slash ? (int)(slash + 1 - argv0) : 0, argv0, other);
    char *quoted = cmd_quoted(path.data);
    dl_text_free(&path);
    return quoted;
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
        if (iscntrl((unsigned char)*c)) /* bash, zsh: $'\033' */
            dl_text_add(&quoted, "'$'\\%03o''", (unsigned char)*c);
        else
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
    char *copy = xstrdup(text); /* not UTF-8, such as a file name */
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
    char *dumped = json_dumps(object, flags);
    dl_text text = {0};
    dl_text_add_json(&text, dumped);
    puts(text.data);
    cmd_flush();
    dl_text_free(&text);
    free(dumped);
    json_decref(object);
}

int cmd_finish(const char *program, int status) {
    cmd_flush();
    if (!trouble)
        return status;
    fprintf(stderr, "%s: standard output: %s\n", program, strerror(trouble));
    return status ? status : DL_FAILURE;
}
