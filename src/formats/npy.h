/* SPDX-License-Identifier: MIT */
/* NumPy's arrays: the header of an npy file, and the members of an npz archive. Untrusted bytes. */
#ifndef DL_FORMATS_NPY_H
#define DL_FORMATS_NPY_H

#include "formats/dataset.h"
#include "formats/dtype.h"

enum { DL_NPY_MOST_DIMS = 4 };

/* An array in memory. */
typedef struct {
    char *path;        /* for messages: "x.npy", or "x.npz: name"; owned */
    const void *bytes; /* [count]: the npy file, header and all */
    int64_t count;
    void *owned;  /* what `bytes` is in, if it was allocated */
    void *mapped; /* or mapped, of so many bytes */
    int64_t mapped_count;
    int64_t held; /* bytes that count as held in memory */
    /* found in the header */
    dl_dtype type;
    int width;    /* bytes of an element */
    bool swapped; /* not in the machine's byte order */
    bool fortran; /* the first index runs fastest */
    int rank;
    int64_t dim[DL_NPY_MOST_DIMS];
    int64_t header;     /* bytes before the first element */
    int64_t rows, size; /* size: elements of a row */
    const void *values; /* [rows][size], once dl_npy_parse is done */
} dl_npy;

/* Reads the header of array->bytes and checks that the elements are all there. An array whose first
   index runs fastest is brought into C's order in memory of its own, if it may take that much
   beside `others`, the bytes that are held already. 0, or -1 and an error. */
int dl_npy_parse(dl_npy *array, const dl_dataset *dataset, int64_t others, dl_error *error);
/* array->bytes = the file `path`, mapped: see base/mapped.h if it is made shorter before
   dl_npy_free. 0, or -1 and an error. */
int dl_npy_load(dl_npy *array, const char *path, dl_error *error);
/* array->bytes = the member `name` (or `name`.npy) of the zip archive `path`, if it may take that
   much memory beside `others`. 0, or -1 and an error. */
int dl_npz_load(dl_npy *array, const char *path, const char *name, const dl_dataset *dataset,
                int64_t others, dl_error *error);
/* Fine with an all-zero one. */
void dl_npy_free(dl_npy *array);

/* out[count] = the elements from `first` on. */
void dl_npy_floats(const dl_npy *array, int64_t first, int64_t count, float *out);
void dl_npy_doubles(const dl_npy *array, int64_t first, int64_t count, double *out);
/* The first element that is no finite number that fits a float; -1 if there is none. */
int64_t dl_npy_find_bad(const dl_npy *array);
/* An element of a type that is no float; and whatever the type. */
int64_t dl_npy_whole(const dl_npy *array, int64_t i);
double dl_npy_number(const dl_npy *array, int64_t i);
/* "60000x28x28"; returns `out`. */
char *dl_npy_dims(const dl_npy *array, char out[96]);

#endif
