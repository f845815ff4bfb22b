/* SPDX-License-Identifier: MIT */
/* Checks of literals and includes that libconfig mishandles silently. */
#ifndef DL_CONFIG_LITERAL_H
#define DL_CONFIG_LITERAL_H

#include "base/error.h"

/* libconfig 1.5 reads 4294967297 as 1 and 3000000000 as a negative number. Reports each integer of
   `text` and of the files that it includes from `folder` that overflows, and unreadable files.
   folder NULL: `text` is a command-line value. */
int dl_literals_check(const char *text, const char *name, const char *folder, dl_error *error);

/* To be called before libconfig 1.5, which exits if an include is a folder and hangs if it is a
   device. Reports such includes; missing files are left to libconfig. 0, or -1 and errors. */
int dl_includes_check(const char *text, const char *name, const char *folder, dl_error *error);

#endif
