/* SPDX-License-Identifier: MIT */
/* safetensors files: an 8-byte little-endian length, a JSON header of that length, the tensors'
   bytes. The metadata have a CRC-32 of the whole file (computed with the digits of the checksum as
   zeros), which detects any flipped bit. */
#ifndef DL_RUN_SAFETENSORS_H
#define DL_RUN_SAFETENSORS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "math/shape.h"

/* A tensor to write. */
typedef struct {
    const char *name;
    dl_shape shape;
    const void *value; /* float, "F32" */
    bool is_double;    /* it is double, "F64" */
} dl_named_tensor;

/* Writes a file atomically, and reads it back before it replaces another. `metadata`: an object of
   strings, borrowed; the checksum is added to it. */
int dl_safetensors_write(const char *path, json_t *metadata, const dl_named_tensor *tensors,
                         int count, dl_error *error);

/* The same bytes in memory, freed by the caller; and writing such bytes to a file. */
char *dl_safetensors_encode(json_t *metadata, const dl_named_tensor *tensors, int count,
                            size_t *size);
int dl_safetensors_write_encoded(const char *path, const void *bytes, size_t size, dl_error *error);

typedef struct {
    char *path, *bytes;  /* owned */
    int64_t size, start; /* of the tensors' bytes */
    json_t *header;
} dl_safetensors;

/* Reads and checks a file: 0, or -1 and an error of DL_DATA; call dl_safetensors_close after
   either. Refuses files of other programs (no checksum). */
int dl_safetensors_open(dl_safetensors *file, const char *path, dl_error *error);
/* The same, but accepts files of other programs. */
int dl_safetensors_open_foreign(dl_safetensors *file, const char *path, dl_error *error);
void dl_safetensors_close(dl_safetensors *file);
/* A metadata string, owned by `file`; NULL if missing. */
const char *dl_safetensors_text(const dl_safetensors *file, const char *key);
/* The bytes of a tensor of floats with up to four dims, or NULL. */
const char *dl_safetensors_find(const dl_safetensors *file, const char *name, dl_shape *shape);
/* The number of elements of a tensor; -1 if it is missing. */
int64_t dl_safetensors_count(const dl_safetensors *file, const char *name);
/* Copies a tensor, which must have this shape. -1 and an error with both shapes if not. */
int dl_safetensors_read(const dl_safetensors *file, const char *name, dl_shape shape, float *value,
                        dl_error *error);
/* The same for a vector of doubles. */
int dl_safetensors_read_doubles(const dl_safetensors *file, const char *name, int64_t count,
                                double *value, dl_error *error);
/* Adds a tensor's shape in the file: "64x10", or its type if that is not F32. */
void dl_safetensors_add_shape(const dl_safetensors *file, const char *name, dl_text *text);
/* Whether the entry of a tensor is valid, but of a type or rank that is not supported. */
bool dl_safetensors_is_unsupported(const dl_safetensors *file, const char *name);

#endif
