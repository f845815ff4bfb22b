/* SPDX-License-Identifier: MIT */
/* Completion of the programs' command lines in bash and zsh, from the option tables. */
#ifndef DL_CMD_COMPLETION_H
#define DL_CMD_COMPLETION_H

struct option;

/* Answers `--help completion SHELL`: the script for "bash" or "zsh" on stdout. `options` are those
   of getopt_long; `shell` may be NULL. Returns the exit status. */
int completion_print(const char *program, const struct option *options, const char *shell);

#endif
