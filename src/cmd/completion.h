/* SPDX-License-Identifier: MIT */
/* Completion of the programs' command lines in bash and zsh, from the option tables. */
#ifndef DL_CMD_COMPLETION_H
#define DL_CMD_COMPLETION_H

#include "cmd/command.h"

/* Prints the completion script for "bash" or "zsh"; `shell` may be NULL. Returns the exit status.
 */
int completion_print(const arg_program *program, const char *shell);

#endif
