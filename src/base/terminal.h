/* What a person sees while a program works: lines on stderr, a bar on a terminal, a copy in a file.
 */
#ifndef DL_BASE_TERMINAL_H
#define DL_BASE_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"

typedef struct {
    bool quiet;     /* no lines and no bar on stderr */
    bool is_screen; /* stderr is a terminal that can move its cursor */
    bool bar_shown;
    double last_bar; /* when it was drawn */
    FILE *log;       /* a copy of every line, or NULL; owned */
} dl_terminal;

/* Looks at stderr and at NO_COLOR, TERM and COLUMNS. */
dl_terminal dl_terminal_open(bool quiet);
void dl_terminal_close(dl_terminal *terminal);
/* A line; the newline is added. */
void dl_say(dl_terminal *terminal, const char *format, ...) DL_PRINTF(2, 3);
/* Draws, at most ten times a second, a bar with a text behind it; only on a terminal. */
void dl_terminal_bar(dl_terminal *terminal, double part, const char *text);
void dl_terminal_clear(dl_terminal *terminal);

/* Seconds of a clock that only goes forward. */
double dl_clock(void);

#endif
