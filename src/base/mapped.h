/* SPDX-License-Identifier: MIT */
/* Memory-mapped files, with an error message if one is truncated while mapped. */
#ifndef DL_BASE_MAPPED_H
#define DL_BASE_MAPPED_H

#include <stddef.h>

#include "base/error.h"

/* Maps a file of *size bytes read-only. NULL and an error of DL_DATA if that fails or the file is
   empty. `path` is borrowed until dl_mapped_close. */
void *dl_mapped_open(const char *path, size_t *size, dl_error *error);
/* `memory` may be NULL. */
void dl_mapped_close(void *memory, size_t size);
/* Installs a SIGBUS handler: an access beyond the end of a truncated mapping exits with DL_DATA and
   a message. `program`, its prefix, is borrowed forever. */
void dl_mapped_watch(const char *program);

#endif
