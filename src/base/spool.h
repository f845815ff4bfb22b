/* SPDX-License-Identifier: MIT */
/* Data files that may be pipes. */
#ifndef DL_BASE_SPOOL_H
#define DL_BASE_SPOOL_H

/* Opens a file for reading. The first call copies a pipe or socket to an unnamed temporary file (in
   $TMPDIR or /tmp), which every call opens; signals terminate the program meanwhile. Returns a
   descriptor, or -1 and errno. Not thread-safe. */
int dl_spool_open(const char *path);

#endif
