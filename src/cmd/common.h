/* SPDX-License-Identifier: MIT */
/* What the programs share: how they fail, and what they take from the command line. */
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
/* Sets the threads of the kernels; a message and an exit status if memory is too limited for them.
 */
int cmd_set_threads(const char *program, int threads);
/* Prints "program: …" lines on stderr; returns the exit status. */
int cmd_fail(const char *program, const dl_error *error);
/* A usage mistake: the message, and where to find help. Returns DL_USAGE. */
int cmd_usage(const char *program, const char *format, ...) DL_PRINTF(2, 3);
/* Says what is wrong with the option that getopt_long has just complained of. Returns DL_USAGE. */
int cmd_unknown_option(const char *program, char *const *argv, const void *long_options);
/* Reads a whole number in [low, high]; false and a message if it is none. */
bool cmd_number(const char *program, const char *option, const char *text, int64_t low,
                int64_t high, int64_t *value);
/* The same for a number. */
bool cmd_real(const char *program, const char *option, const char *text, double low, double high,
              double *value);
/* Sets the backend of that name; false and a message if there is none. */
bool cmd_backend(const char *program, const char *name);
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
