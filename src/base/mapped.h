/* SPDX-License-Identifier: MIT */
/* Files that are mapped into memory, and what is said if one is made shorter meanwhile. */
#ifndef DL_BASE_MAPPED_H
#define DL_BASE_MAPPED_H

#include <stddef.h>

#include "base/error.h"

/* Maps the file `path`, to be read only, *size bytes of it: NULL and an error of DL_DATA if it
   cannot be, or is empty. `path` is borrowed until dl_mapped_close. For the main thread. */
void *dl_mapped_open(const char *path, size_t *size, dl_error *error);
/* NULL is fine. */
void dl_mapped_close(void *memory, size_t size);
/* From now on a program that looks behind the end of a file that was cut short after it was mapped
   ends in DL_DATA with a line that begins with `program`, which is borrowed for good. */
void dl_mapped_watch(const char *program);

#endif
