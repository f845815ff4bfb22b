/* SPDX-License-Identifier: MIT */
#include "base/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

double dl_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

dl_terminal dl_terminal_open(bool quiet) {
    const char *kind = getenv("TERM");
    bool dumb = !kind || !*kind || !strcmp(kind, "dumb");
    return (dl_terminal){.quiet = quiet, .is_screen = !dumb && isatty(STDERR_FILENO)};
}

void dl_terminal_close(dl_terminal *terminal) {
    dl_terminal_clear(terminal);
    if (terminal->log)
        fclose(terminal->log);
    terminal->log = NULL;
    dl_text_free(&terminal->early);
}

void dl_terminal_set_log(dl_terminal *terminal, FILE *log) {
    terminal->log = log;
    fputs(dl_text_get(&terminal->early), log);
    dl_text_free(&terminal->early);
}

/* COLUMNS takes precedence over the terminal. */
static int columns(int descriptor) {
    const char *set = getenv("COLUMNS");
    int count = set ? atoi(set) : 0;
    struct winsize size;
    if (count <= 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0)
        count = size.ws_col;
    return count <= 0 ? 80 : count < 20 ? 20 : count > 500 ? 500 : count;
}

int dl_terminal_columns(const dl_terminal *terminal) {
    return terminal->is_screen ? columns(STDERR_FILENO) : DL_ANY_WIDTH;
}

int dl_output_columns(void) {
    return isatty(STDOUT_FILENO) ? columns(STDOUT_FILENO) : DL_ANY_WIDTH;
}

void dl_terminal_clear(dl_terminal *terminal) {
    if (terminal->bar_shown)
        fputs("\r\033[K", stderr);
    terminal->bar_shown = false;
}

void dl_say_and_log(dl_terminal *terminal, const char *shown, const char *logged) {
    if (shown && !terminal->quiet) {
        dl_terminal_clear(terminal);
        fprintf(terminal->to_stdout ? stdout : stderr, "%s\n", shown);
    }
    if (terminal->log) {
        fprintf(terminal->log, "%s\n", logged);
        fflush(terminal->log);
    } else
        dl_text_add(&terminal->early, "%s\n", logged);
}

void dl_say(dl_terminal *terminal, const char *format, ...) {
    dl_text line = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&line, format, arguments);
    dl_text_make_plain(&line, 0);
    va_end(arguments);
    while (line.length && line.data[line.length - 1] == ' ')
        line.data[--line.length] = '\0';
    dl_say_and_log(terminal, dl_text_get(&line), dl_text_get(&line));
    dl_text_free(&line);
}

void dl_print_plain(FILE *file, const char *format, ...) {
    dl_text line = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&line, format, arguments);
    va_end(arguments);
    bool whole = line.length && line.data[line.length - 1] == '\n';
    dl_text_make_plain(&line, 0);
    if (whole)
        line.data[line.length - 1] = '\n';
    fputs(line.data, file);
    dl_text_free(&line);
}

void dl_terminal_show(dl_terminal *terminal, const char *text) {
    if (terminal->quiet || !terminal->is_screen)
        return;
    dl_terminal_clear(terminal);
    fputs(text, stderr);
}

bool dl_terminal_is_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = NULL;
    for (int i = 0; i < 3 && (!locale || !*locale); i++)
        locale = getenv(names[i]);
    return locale && (strcasestr(locale, "UTF-8") || strcasestr(locale, "UTF8"));
}

bool dl_terminal_bar_due(dl_terminal *terminal) {
    if (terminal->quiet || !terminal->is_screen)
        return false;
    double now = dl_clock();
    if (now - terminal->last_bar < 0.1)
        return false;
    terminal->last_bar = now;
    return true;
}

/* Bytes of `text` that fit in `room` columns, cut between fields, which are separated by two
   spaces. */
static int fitting(const char *text, int room) {
    int length = (int)strlen(text);
    if (length <= room)
        return length;
    for (int i = room; i > 0; i--)
        if (text[i] == ' ' && text[i + 1] == ' ')
            return i;
    return room;
}

void dl_terminal_bar(dl_terminal *terminal, double part, const char *text) {
    enum { LONGEST = 24, SHORTEST = 10 };
    int width = columns(STDERR_FILENO) - 1, bar = width - 3 - (int)strlen(text);
    bar = bar > LONGEST ? LONGEST : bar < SHORTEST ? SHORTEST : bar;
    int room = width - bar - 3;
    if (room < 30)
        bar = 0, room = width;
    char line[LONGEST + 1];
    int full = (int)(part * bar + 0.5);
    for (int i = 0; i < bar; i++)
        line[i] = i < full ? '=' : i == full ? '>' : ' ';
    line[bar] = '\0';
    fprintf(stderr, bar ? "\r\033[K[%s] %.*s" : "\r\033[K%s%.*s", line, fitting(text, room), text);
    fflush(stderr);
    terminal->bar_shown = true;
}
