/* SPDX-License-Identifier: MIT */
/* Files: looking them up, reading them plain or gzipped, and writing them whole or not at all. */
#ifndef DL_BASE_FILE_H
#define DL_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

bool dl_file_exists(const char *path);
bool dl_file_is_folder(const char *path);
/* folder "/" name, or just name if it begins with "/"; the caller frees it. */
char *dl_path_join(const char *folder, const char *name);
/* The last component of a path, a pointer into it. */
const char *dl_path_base(const char *path);
/* A data file's place: /dev/stdin for "-", `name` as written, else below data/, else below
   $DLTRAIN_DATA, else in the data folder that was installed with the program. The caller frees it;
   NULL if it is nowhere. */
char *dl_path_find_data(const char *name);
/* A config's place: `name` as written, else with .cfg behind it, else one of the configs that were
   installed with the program; `name` itself if it is nowhere. The caller frees it. */
char *dl_path_find_config(const char *name);

/* A file, or a pipe (base/spool.h), that is read from the front, decompressed if it is gzip. */
typedef struct dl_reader dl_reader;
/* NULL and an error of `code` if it cannot be opened or is a folder. */
dl_reader *dl_reader_open(const char *path, dl_code code, dl_error *error);
/* Reads up to `count` bytes into `out`: how many there were, or -1 (cut short or corrupt). */
int64_t dl_reader_read(dl_reader *reader, void *out, int64_t count, dl_error *error);
/* Bytes handed out so far, counted after decompression. */
int64_t dl_reader_offset(const dl_reader *reader);
/* No more than this many bytes can be in the file, whatever it claims. */
int64_t dl_reader_bound(const dl_reader *reader);
/* Whether the file is not compressed: then the offset is that of the file. */
bool dl_reader_is_plain(const dl_reader *reader);
void dl_reader_close(dl_reader *reader);

/* The whole file, decompressed if need be and NUL-terminated (the NUL is not counted); refused
   above `limit` bytes, and *size is then larger. The caller frees it. NULL and an error otherwise.
 */
char *dl_file_read(const char *path, int64_t limit, int64_t *size, dl_code code, dl_error *error);

/* A file that replaces `path` whole, or leaves what was there: written beside it under another
   name, flushed to the disk, renamed, the folder flushed. A link at `path` is replaced. */
typedef struct {
    FILE *file;
    char *path, *temporary; /* temporary: NULL if it is written to directly */
} dl_writer;
int dl_writer_open(dl_writer *writer, const char *path, dl_error *error);
/* The same for a file that the user names: "-" is standard output; a device, a pipe, or a link to
   one is written to and stays; of a link to a file the file is replaced. */
int dl_writer_open_output(dl_writer *writer, const char *path, dl_error *error);
/* All of it is on the disk, under the temporary name: to be looked at before the commit. */
int dl_writer_finish(dl_writer *writer, dl_error *error);
int dl_writer_commit(dl_writer *writer, dl_error *error);
/* Throws away what was written; fine after a failed open or commit. */
void dl_writer_abort(dl_writer *writer);
/* The three in one. */
int dl_file_write(const char *path, const void *bytes, size_t count, dl_error *error);
int dl_output_write(const char *path, const void *bytes, size_t count, dl_error *error);

/* Creates a folder and those above it; an existing one is fine. */
int dl_folder_create(const char *path, dl_error *error);
/* Brings to the disk that the file `path` is in its folder. -1 and errno if the disk fails. */
int dl_folder_flush(const char *path);
/* Removes what killed programs left half-written in this folder (dl_writer). */
void dl_folder_remove_temporaries(const char *path);

#endif
