/* SPDX-License-Identifier: MIT */
/* Files: search paths, reading (plain or gzip), and atomic writing. */
#ifndef DL_BASE_FILE_H
#define DL_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

bool dl_file_exists(const char *path);
bool dl_file_is_folder(const char *path);
/* folder "/" name, or `name` if it is absolute; the caller frees it. */
char *dl_path_join(const char *folder, const char *name);
/* The last component of a path, a pointer into it. */
const char *dl_path_base(const char *path);
/* The path of a data file: /dev/stdin for "-", else the first that exists of `name`, `name` in the
   folder of the file `config` (NULL: none), in `folders` (a list up to NULL; or NULL), data/name,
   $DLTRAIN_DATA/name and the installed data. The caller frees it; NULL: not found. */
char *dl_path_find_data(const char *name, const char *config, const char *const *folders);
/* The path from the folder `from` to `to`, both absolute and real; freed by the caller. */
char *dl_path_relative(const char *from, const char *to);
/* Where it looks, for messages. */
#define DL_DATA_FOLDERS "the current folder, the config's folder, data/ and $DLTRAIN_DATA"
/* The path of a config: the first that exists of `name`, name.cfg and the installed configs, else
   `name`. The caller frees it. */
char *dl_path_find_config(const char *name);

/* A file or pipe (base/spool.h) that is read sequentially and decompressed if it is gzip. */
typedef struct dl_reader dl_reader;
/* NULL and an error of `code` if it cannot be opened or is a folder. */
dl_reader *dl_reader_open(const char *path, dl_code code, dl_error *error);
/* Reads an open file or pipe as it comes, not decompressed: dl_reader_read returns what there is, 0
   at the end. `descriptor` stays the caller's. */
dl_reader *dl_reader_open_stream(int descriptor, const char *name, dl_code code);
bool dl_reader_is_stream(const dl_reader *reader);
/* The first bytes of a stream, as many as come at once; they are still to be read. Their number,
   or -1 and an error. */
enum { DL_READER_PEEK = 16 };
int dl_reader_peek(dl_reader *reader, char out[DL_READER_PEEK], dl_error *error);
/* Reads up to `count` bytes into `out`. Returns their number, or -1 and an error. */
int64_t dl_reader_read(dl_reader *reader, void *out, int64_t count, dl_error *error);
/* Bytes read so far, after decompression. */
int64_t dl_reader_offset(const dl_reader *reader);
/* An upper bound of the decompressed size. */
int64_t dl_reader_bound(const dl_reader *reader);
/* Whether the file is not compressed, so that the offset is that of the file. */
bool dl_reader_is_plain(const dl_reader *reader);
void dl_reader_close(dl_reader *reader);

/* The decompressed file, NUL-terminated (the NUL is not counted in *size); the caller frees it.
   NULL and an error if it fails or has more than `limit` bytes; *size is then larger. */
char *dl_file_read(const char *path, int64_t limit, int64_t *size, dl_code code, dl_error *error);

/* Replaces `path` atomically: written to a temporary file, fsynced, renamed, folder fsynced. A link
   at `path` is replaced, not followed. */
typedef struct {
    FILE *file;
    char *path, *temporary; /* temporary: NULL: written directly */
} dl_writer;
int dl_writer_open(dl_writer *writer, const char *path, dl_error *error);
/* The same for an output that the user names: "-" is standard output, devices and pipes are written
   directly, and links to files are followed. */
int dl_writer_open_output(dl_writer *writer, const char *path, dl_error *error);
/* Optional, before the commit: flushes everything to the temporary file. */
int dl_writer_finish(dl_writer *writer, dl_error *error);
int dl_writer_commit(dl_writer *writer, dl_error *error);
/* Discards what was written; valid after a failed open or commit. */
void dl_writer_abort(dl_writer *writer);
/* Open, write and commit. */
int dl_file_write(const char *path, const void *bytes, size_t count, dl_error *error);
int dl_output_write(const char *path, const void *bytes, size_t count, dl_error *error);

/* mkdir -p; what is new is on the disk. */
int dl_folder_create(const char *path, dl_error *error);
/* Fsyncs the folder of the file `path`. 0, or -1 and errno. */
int dl_folder_flush(const char *path);
/* Whether a folder has no files but temporary ones of dl_writer; false: it cannot be read. */
bool dl_folder_is_empty(const char *path);
/* Removes temporary files of dl_writer that killed programs left in a folder. */
void dl_folder_remove_temporaries(const char *path);

#endif
