/* SPDX-License-Identifier: MIT */
/* What a person sees while a program works: lines on stderr, a bar on a terminal, a copy in a file.
 */
#ifndef DL_BASE_TERMINAL_H
#define DL_BASE_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"

typedef struct {
    bool quiet;     /* no lines and no bar on stderr */
    bool to_stdout; /* lines are the program's result, and go there */
    bool is_screen; /* stderr is a terminal that can move its cursor */
    bool bar_shown;
    double last_bar; /* when it was drawn */
    FILE *log;       /* a copy of every line, or NULL; owned */
    dl_text early;   /* what was said before there was a log */
} dl_terminal;

enum { DL_ANY_WIDTH = 1 << 20 };

/* Looks at stderr and at TERM. (There is no colour, so NO_COLOR is always obeyed.) */
dl_terminal dl_terminal_open(bool quiet);
void dl_terminal_close(dl_terminal *terminal);
/* Begins a log with what was said so far; the terminal will close it. */
void dl_terminal_log(dl_terminal *terminal, FILE *log);
/* The columns of a line: those of the screen (COLUMNS, or what the terminal says), or any. */
int dl_terminal_columns(const dl_terminal *terminal);
/* The same of stdout. */
int dl_output_columns(void);
/* A line; blanks at its end are dropped, the newline is added. */
void dl_say(dl_terminal *terminal, const char *format, ...) DL_PRINTF(2, 3);
/* One line on stderr (NULL: none), another in the log. */
void dl_say_apart(dl_terminal *terminal, const char *shown, const char *logged);
/* Text for a screen alone, as it is: not where there is none, and not in the log. */
void dl_terminal_show(dl_terminal *terminal, const char *text);
/* Whether the environment says that characters are written as UTF-8. */
bool dl_terminal_is_utf8(void);
/* Whether it is time to draw a bar: ten times a second, and only on a terminal. */
bool dl_terminal_bar_due(dl_terminal *terminal);
/* Draws a bar with a text behind it, of which the parts that do not fit are left out; two blanks
   divide its parts. */
void dl_terminal_bar(dl_terminal *terminal, double part, const char *text);
void dl_terminal_clear(dl_terminal *terminal);

/* Seconds of a clock that only goes forward. */
double dl_clock(void);

#endif
