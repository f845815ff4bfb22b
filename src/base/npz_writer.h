/* SPDX-License-Identifier: MIT */
/* NumPy arrays in memory: npy files, and npz archives of them (zip, stored). */
#ifndef DL_BASE_NPZ_WRITER_H
#define DL_BASE_NPZ_WRITER_H

#include "base/text.h"

/* Adds the npy file of an array [rows][dim[0]]...[dim[rank - 1]] of that type ("<f4"). */
void dl_npy_write(dl_text *file, const char *type, int64_t rows, int rank, const int *dim,
                  const void *values, size_t bytes);

/* All zero: empty. At most 65535 members and 4 GB. */
typedef struct {
    dl_text zip, directory;
    int count;
} dl_npz_writer;

/* Adds the member `name` ("x.npy"). */
void dl_npz_writer_add(dl_npz_writer *writer, const char *name, const dl_text *bytes);
/* Ends the archive, writer->zip. */
void dl_npz_writer_finish(dl_npz_writer *writer);
void dl_npz_writer_free(dl_npz_writer *writer);

#endif
