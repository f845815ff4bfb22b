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
}

/* How many columns a line may have. COLUMNS wins, then the terminal's own word. */
static int columns(void) {
    const char *set = getenv("COLUMNS");
    int count = set ? atoi(set) : 0;
    struct winsize size;
    if (count <= 0 && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0)
        count = size.ws_col;
    return count <= 0 ? 80 : count < 20 ? 20 : count > 500 ? 500 : count;
}

void dl_terminal_clear(dl_terminal *terminal) {
    if (terminal->bar_shown)
        fputs("\r\033[K", stderr);
    terminal->bar_shown = false;
}

void dl_say(dl_terminal *terminal, const char *format, ...) {
    dl_text line = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&line, format, arguments);
    va_end(arguments);
    dl_terminal_clear(terminal);
    if (!terminal->quiet)
        fprintf(stderr, "%s\n", dl_text_get(&line));
    if (terminal->log) {
        fprintf(terminal->log, "%s\n", dl_text_get(&line));
        fflush(terminal->log);
    }
    dl_text_free(&line);
}

void dl_terminal_bar(dl_terminal *terminal, double part, const char *text) {
    if (terminal->quiet || !terminal->is_screen)
        return;
    double now = dl_clock();
    if (terminal->bar_shown && now - terminal->last_bar < 0.1)
        return;
    terminal->last_bar = now;
    int width = columns() - 1, bar = 24, room = width - bar - 3;
    if (room < 30)
        bar = 0, room = width;
    char line[32];
    int full = (int)(part * bar + 0.5);
    for (int i = 0; i < bar; i++)
        line[i] = i < full ? '=' : i == full ? '>' : ' ';
    line[bar] = '\0';
    fprintf(stderr, bar ? "\r\033[K[%s] %.*s" : "\r\033[K%s%.*s", line, room, text);
    fflush(stderr);
    terminal->bar_shown = true;
}
