/* SPDX-License-Identifier: MIT */
/* Data files that may be pipes. */
#ifndef DL_BASE_SPOOL_H
#define DL_BASE_SPOOL_H

/* Opens a file for reading. A pipe or socket, which can be read only once, is copied at the first
   call, as a whole, to a temporary file without a name (in $TMPDIR or /tmp), which further calls
   open. The first signal that would end the program does while it waits. A descriptor, or -1 and
   errno. Not for several threads. */
int dl_spool_open(const char *path);

#endif
