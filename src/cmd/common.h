/* SPDX-License-Identifier: MIT */
/* Shared by the programs: start, errors, signals, output, exit. */
#ifndef DL_CMD_COMMON_H
#define DL_CMD_COMMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/terminal.h"

/* Call first, with main's argv. Opens /dev/null for each of stdin, stdout and stderr that is
   closed, and restarts the program with an environment that limits the spinning of waiting threads
   and, if need be, chooses the kernels of OpenBLAS. */
void cmd_start(char **argv);
/* Sets the number of threads. -1 and an error if memory is too limited for them. */
int cmd_set_threads(int threads, dl_error *error);
/* Prints the errors to stderr as "program: …". Returns the exit status. */
int cmd_fail(const char *program, const dl_error *error);
/* Calls `handler` on SIGINT, SIGTERM and, unless under nohup, SIGHUP. */
void cmd_watch_signals(void (*handler)(int));
/* For commands that save nothing: such a signal prints a line and exits with 128 + its number.
   `program` is borrowed forever. */
void cmd_quit_on_signals(const char *program);
void cmd_version(const char *program);
/* The path of another program in the same folder as a shell argument; freed by the caller. */
char *cmd_beside(const char *argv0, const char *other);

/* A path as a shell argument, quoted if necessary; freed by the caller. */
char *cmd_quoted(const char *path);

/* NaN and infinity become null; bytes that are not UTF-8 become "?". */
json_t *cmd_json_number(double value);
json_t *cmd_json_string(const char *text);
/* Prints a line to stdout and frees the object. */
void cmd_print_json(json_t *object, size_t flags);
/* Flushes stdout; false if that failed, which cmd_finish reports. */
bool cmd_flush(void);
/* Returns the exit status: `status`, or DL_FAILURE if writing to stdout failed. */
int cmd_finish(const char *program, int status);

#endif
