/* SPDX-License-Identifier: MIT */
/* Element types of array files. */
#ifndef DL_FORMATS_DTYPE_H
#define DL_FORMATS_DTYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "math/shape.h"

typedef enum {
    DL_U8,
    DL_I8,
    DL_I16,
    DL_I32,
    DL_I64,
    DL_F32,
    DL_F64,
    DL_U16,
    DL_U32,
    DL_U64,
    DL_F16
} dl_dtype;

int dl_dtype_width(dl_dtype type); /* in bytes */
bool dl_dtype_is_float(dl_dtype type);
/* Converts values[count] of `width` bytes from big-endian to native order, in place. */
void dl_dtype_from_big_endian(void *values, int64_t count, int width);
/* Converts values[count] to out[count]. */
void dl_dtype_to_floats(const void *values, dl_dtype type, int64_t count, float *out);
/* Whether floats represent every value of the type exactly. */
bool dl_dtype_fits_float(dl_dtype type);
/* values[i] of an integer type; INT64_MAX if it is larger. */
int64_t dl_dtype_integer(const void *values, dl_dtype type, int64_t i);
/* values[i] of any type. */
double dl_dtype_number(const void *values, dl_dtype type, int64_t i);
/* The first index whose value is not finite as a float; -1: none. */
int64_t dl_dtype_find_not_finite(const void *values, dl_dtype type, int64_t count);
/* The shape of a row of an array dim[rank], rank 1 to 4: a scalar, a vector, a gray image, or an
   image with channels. */
dl_shape dl_dtype_row_shape(int rank, const int64_t *dim);

#endif
