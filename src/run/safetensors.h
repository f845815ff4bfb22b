/* SPDX-License-Identifier: MIT */
/* safetensors files: an 8-byte little-endian length, a JSON header of that length, the tensors'
   bytes. The metadata carry a CRC-32 of the whole file (taken with the checksum's own digits as
   zeros), so that a flipped bit anywhere is noticed. */
#ifndef DL_RUN_SAFETENSORS_H
#define DL_RUN_SAFETENSORS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "math/shape.h"

/* A tensor to be written. */
typedef struct {
    const char *name;
    dl_shape shape;
    const void *value; /* float, "F32" */
    bool is_double;    /* it is double, "F64" */
} dl_named_tensor;

/* Writes a file whole or not at all; it is read back before it replaces another. `metadata`: an
   object of strings, borrowed; the checksum is added to it. */
int dl_safetensors_write(const char *path, json_t *metadata, const dl_named_tensor *tensors,
                         int count, dl_error *error);

/* The same bytes in memory; freed by the caller. And such bytes into a file. */
char *dl_safetensors_encode(json_t *metadata, const dl_named_tensor *tensors, int count,
                            size_t *size);
int dl_safetensors_write_encoded(const char *path, const void *bytes, size_t size, dl_error *error);

typedef struct {
    char *path, *bytes;  /* owned */
    int64_t size, start; /* of the tensors' bytes */
    json_t *header;
} dl_safetensors;

/* Reads a file and checks it: 0, or -1 and an error of DL_DATA. dl_safetensors_close is fine after
   either. Refuses what dltrain has not written (no checksum). */
int dl_safetensors_open(dl_safetensors *file, const char *path, dl_error *error);
/* The same, but a file of another program, which has no checksum, is fine. */
int dl_safetensors_open_foreign(dl_safetensors *file, const char *path, dl_error *error);
void dl_safetensors_close(dl_safetensors *file);
/* A metadata string, owned by `file`; NULL if there is none. */
const char *dl_safetensors_text(const dl_safetensors *file, const char *key);
/* How many numbers a tensor has; -1 if it is not there. */
int64_t dl_safetensors_count(const dl_safetensors *file, const char *name);
/* Copies a tensor, which must have this shape. -1 and an error with both shapes if not. */
int dl_safetensors_read(const dl_safetensors *file, const char *name, dl_shape shape, float *value,
                        dl_error *error);
/* The same of a list of doubles. */
int dl_safetensors_read_doubles(const dl_safetensors *file, const char *name, int64_t count,
                                double *value, dl_error *error);
/* Copies a tensor if it is there and fits: 1. If not: 0, and the reason is added to `why`, for
   people: "not there", "there 64x10, here 64x5". -1 and an error of DL_DATA if what the file says
   of it makes no sense. */
int dl_safetensors_read_matching(const dl_safetensors *file, const char *name, dl_shape shape,
                                 float *value, dl_text *why, dl_error *error);
/* A tensor's shape as the file has it, whatever it is: "64x10", or its type where that is not F32.
 */
void dl_safetensors_add_shape(const dl_safetensors *file, const char *name, dl_text *text);

#endif
