/* SPDX-License-Identifier: MIT */
/* The numbers that array files are made of. */
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
/* values[count] of `width` bytes, from big-endian to the machine's order, in place. */
void dl_dtype_from_big_endian(void *values, int64_t count, int width);
/* out[count] from values[count], in the machine's order. */
void dl_dtype_to_floats(const void *values, dl_dtype type, int64_t count, float *out);
/* Whether floats hold every value of the type. */
bool dl_dtype_fits_float(dl_dtype type);
/* values[i] of a type that is no float; INT64_MAX if it is larger. */
int64_t dl_dtype_integer(const void *values, dl_dtype type, int64_t i);
/* values[i], whatever the type. */
double dl_dtype_number(const void *values, dl_dtype type, int64_t i);
/* The first of values[count] that is no finite number that fits a float; -1 if there is none. */
int64_t dl_dtype_find_bad(const void *values, dl_dtype type, int64_t count);
/* The shape of a row of an array dim[rank], rank from 1 to 4, whose first dimension is the rows:
   one number, numbers, a grey image or one with channels. */
dl_shape dl_dtype_row_shape(int rank, const int64_t *dim);

#endif
