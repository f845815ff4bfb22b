/* What the programs share: how they fail, and what they take from the command line. */
#ifndef DL_CMD_COMMON_H
#define DL_CMD_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Prints "program: …" lines on stderr; returns the exit status. */
int cmd_fail(const char *program, const dl_error *error);
/* A usage mistake: the message, and where to find help. Returns DL_USAGE. */
int cmd_usage(const char *program, const char *format, ...) DL_PRINTF(2, 3);
/* Says that getopt_long has met an option it does not know, with the nearest one. */
int cmd_unknown_option(const char *program, const char *given, const void *long_options);
/* Reads a whole number in [low, high]; false and a message if it is none. */
bool cmd_number(const char *program, const char *option, const char *text, int64_t low,
                int64_t high, int64_t *value);
void cmd_version(const char *program);
/* Ends in DL_FAILURE if what was printed did not reach stdout (a full disk, a closed pipe). */
int cmd_finish(const char *program, int status);

#endif
