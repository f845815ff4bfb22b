/* SPDX-License-Identifier: MIT */
/* Messages on stderr, a progress bar on a terminal, a copy in a log file. */
#ifndef DL_BASE_TERMINAL_H
#define DL_BASE_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"

typedef struct {
    bool quiet;     /* no lines and no bar on stderr */
    bool to_stdout; /* lines are results, written to stdout */
    bool is_screen; /* stderr is a terminal with cursor control */
    bool bar_shown;
    double last_bar; /* when the bar was drawn */
    FILE *log;       /* gets a copy of every line, or NULL; owned */
    dl_text early;   /* lines written before there was a log */
} dl_terminal;

enum { DL_ANY_WIDTH = 1 << 20 };

/* Inspects stderr and TERM. No color is used, so NO_COLOR always holds. */
dl_terminal dl_terminal_open(bool quiet);
void dl_terminal_close(dl_terminal *terminal);
/* Takes ownership of `log` and writes the lines so far to it. */
void dl_terminal_set_log(dl_terminal *terminal, FILE *log);
/* Columns of stderr (COLUMNS, or those of the terminal); DL_ANY_WIDTH if it is not a screen. */
int dl_terminal_columns(const dl_terminal *terminal);
/* The same for stdout. */
int dl_output_columns(void);
/* Prints with "?" for control characters, as of a file's name, but for a final newline. */
void dl_print_plain(FILE *file, const char *format, ...) DL_PRINTF(2, 3);
/* Prints a plain line; trailing spaces are removed, a newline is added. */
void dl_say(dl_terminal *terminal, const char *format, ...) DL_PRINTF(2, 3);
/* Prints `shown` (NULL: nothing), logs `logged`. */
void dl_say_and_log(dl_terminal *terminal, const char *shown, const char *logged);
/* Prints text only on a screen, not to the log. */
void dl_terminal_show(dl_terminal *terminal, const char *text);
/* Whether the locale is UTF-8. */
bool dl_terminal_is_utf8(void);
/* Whether to draw the bar now: ten times per second, only on a terminal. */
bool dl_terminal_bar_due(dl_terminal *terminal);
/* Draws the bar at `part` of 1, followed by the fields of `text` that fit; two spaces separate
   fields. */
void dl_terminal_bar(dl_terminal *terminal, double part, const char *text);
void dl_terminal_clear(dl_terminal *terminal);

/* Seconds of a monotonic clock. */
double dl_clock(void);

#endif
