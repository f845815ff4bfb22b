/* SPDX-License-Identifier: MIT */
/* Help, generated from the option tables. */
#ifndef DL_CMD_HELP_H
#define DL_CMD_HELP_H

#include "cmd/command.h"

/* Prints the help on a topic: "config", a registry ("layers"), or one of its members ("layer",
   "dense"); `name` may be NULL. Returns the exit status. */
int help_topic(const arg_program *program, const char *topic, const char *name);
/* Prints man/dltrain.cfg.5. */
void help_manual(void);

#endif
