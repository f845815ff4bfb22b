/* SPDX-License-Identifier: MIT */
/* Numbers that libconfig would read wrongly without a word. */
#ifndef DL_CONFIG_LITERAL_H
#define DL_CONFIG_LITERAL_H

#include "base/error.h"

/* libconfig 1.5 reads the integer 4294967297 as 1 and 3000000000 as a negative number. This looks
   at the literals of `text` (and of the files that it includes from `folder`) and makes each that
   does not fit its type an error that names file and line, and so an included file that cannot be
   read. folder NULL: `text` is a value of the command line, without lines and files. */
int dl_literals_check(const char *text, const char *name, const char *folder, dl_error *error);

/* Before libconfig 1.5 reads `text`, which ends the program at an include that is a folder, and is
   not done with one that is a device: 0, or -1 and errors. A file that is missing it reports. */
int dl_includes_check(const char *text, const char *name, const char *folder, dl_error *error);

#endif
