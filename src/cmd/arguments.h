/* SPDX-License-Identifier: MIT */
/* Parsing a command line by the tables of cmd/command.h. */
#ifndef DL_CMD_ARGUMENTS_H
#define DL_CMD_ARGUMENTS_H

#include "cmd/command.h"
#include "config/config.h"

/* Parses the command line, runs the command and prints its error. Returns the exit status. */
int arg_main(const arg_program *program, int argc, char **argv);

/* Parses the command line into *arguments, owned by the caller. Returns -1 to continue, or the exit
   status. */
int arg_parse(const arg_program *program, int argc, char **argv, const arg_command **command,
              arg_common **arguments);
/* Whether the option was given. */
bool arg_given(const arg_common *arguments, const char *name);
/* Adds KEY=VALUE to the sets. */
void arg_add_set(void *arguments, const char *format, ...) DL_PRINTF(2, 3);
/* Applies the sets to the config. 0, or -1 and all their errors. */
int arg_apply_sets(const arg_common *arguments, dl_config *config, dl_error *error);

#endif
