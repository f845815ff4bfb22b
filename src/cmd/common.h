/* SPDX-License-Identifier: MIT */
/* What the programs share: how they start, fail and end, and what they print. */
#ifndef DL_CMD_COMMON_H
#define DL_CMD_COMMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* To be called first: opens /dev/null for each of stdin, stdout and stderr that is closed, so that
   no file that is opened later is taken for one of them; and starts the program once more with its
   threads' spinning limited, unless the environment says how long. argv: of main. */
void cmd_start(char **argv);
/* Sets the threads of the kernels. -1 and an error if memory is too limited for them. */
int cmd_set_threads(int threads, dl_error *error);
/* Prints "program: …" lines on stderr; returns the exit status. */
int cmd_fail(const char *program, const dl_error *error);
/* Calls `handler` on SIGINT, SIGTERM and, unless under nohup, SIGHUP. */
void cmd_watch_signals(void (*handler)(int));
/* For what saves nothing: the first such signal ends the program with a line and 128 + its number.
   `program` is borrowed for good. */
void cmd_quit_on_signals(const char *program);
void cmd_version(const char *program);
/* The path of another program in the folder of this one, as the user would type it; freed by the
   caller. */
char *cmd_beside(const char *argv0, const char *other);

/* A path as an argument for a shell: in quotes, if it needs them; freed by the caller. */
char *cmd_quoted(const char *path);

/* NaN and infinity, which JSON has not, become null; bytes that are not UTF-8, "?". */
json_t *cmd_json_number(double value);
json_t *cmd_json_string(const char *text);
/* A line on stdout. Takes `object` over. */
void cmd_print_json(json_t *object, size_t flags);
/* Hands on what was printed; false if that cannot be done, which cmd_finish will tell. */
bool cmd_flush(void);
/* Ends in DL_FAILURE if what was printed did not reach stdout (a full disk, a closed pipe). */
int cmd_finish(const char *program, int status);

#endif
