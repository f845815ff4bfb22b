/* SPDX-License-Identifier: MIT */
/* NumPy arrays: npy files and members of npz archives. Untrusted bytes. */
#ifndef DL_FORMATS_NPY_H
#define DL_FORMATS_NPY_H

#include "formats/dataset.h"
#include "formats/dtype.h"

enum { DL_NPY_MAX_DIMS = 4 };

typedef struct {
    char *path;        /* for messages: "x.npy" or "x.npz: name"; owned */
    const void *bytes; /* [count]: the npy file with its header */
    int64_t count;
    void *owned;  /* memory of `bytes`, if allocated */
    void *mapped; /* or mapped, [mapped_count] */
    int64_t mapped_count;
    int64_t held; /* bytes that count against the memory limit */
    /* from the header */
    dl_dtype type;
    int width;    /* bytes per element */
    bool swapped; /* not in native byte order */
    bool fortran; /* column-major */
    int rank;
    int64_t dim[DL_NPY_MAX_DIMS];
    int64_t header;     /* bytes before the first element */
    int64_t rows, size; /* size: elements of a row */
    const void *values; /* [rows][size], set by dl_npy_parse */
} dl_npy;

/* Parses the header of array->bytes and checks the size. A column-major array is converted to
   row-major in new memory, if the limit allows it beside `others` bytes. 0, or -1 and an error. */
int dl_npy_parse(dl_npy *array, const dl_dataset *dataset, int64_t others, dl_error *error);
/* Maps the file `path` (base/mapped.h). 0, or -1 and an error. */
int dl_npy_load(dl_npy *array, const char *path, dl_error *error);
/* Loads member `name` or `name`.npy of the zip archive `path`, if the memory limit allows it beside
   `others` bytes. 0, or -1 and an error. */
int dl_npz_load(dl_npy *array, const char *path, const char *name, const dl_dataset *dataset,
                int64_t others, dl_error *error);
/* Adds the names of an archive's arrays, one per line. 0, or -1 and an error. */
int dl_npz_list(const char *path, dl_text *names, dl_error *error);
/* `array` may be all zero. */
void dl_npy_free(dl_npy *array);

/* Converts elements first … first + count - 1 to floats. */
void dl_npy_floats(const dl_npy *array, int64_t first, int64_t count, float *out);
void dl_npy_doubles(const dl_npy *array, int64_t first, int64_t count, double *out);
/* The first element that is not finite as a float; -1: none. */
int64_t dl_npy_find_not_finite(const dl_npy *array);
/* Element i of an integer type, and of any type. */
int64_t dl_npy_integer(const dl_npy *array, int64_t i);
double dl_npy_number(const dl_npy *array, int64_t i);
/* "60000x28x28"; returns `out`. */
char *dl_npy_dims(const dl_npy *array, char out[96]);

#endif
