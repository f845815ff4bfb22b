/* SPDX-License-Identifier: MIT */
#include "formats/dtype.h"

#include <float.h>
#include <math.h>
#include <string.h>

int dl_dtype_width(dl_dtype type) {
    static const int widths[] = {1, 1, 2, 4, 8, 4, 8, 2, 4, 8, 2};
    return widths[type];
}

bool dl_dtype_is_float(dl_dtype type) {
    return type == DL_F32 || type == DL_F64 || type == DL_F16;
}

bool dl_dtype_fits_float(dl_dtype type) {
    return type == DL_F32 || dl_dtype_width(type) <= 2;
}

void dl_dtype_from_big_endian(void *values, int64_t count, int width) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint16_t *two = values;
    uint32_t *four = values;
    uint64_t *eight = values;
    for (int64_t i = 0; i < count && width == 2; i++)
        two[i] = __builtin_bswap16(two[i]);
    for (int64_t i = 0; i < count && width == 4; i++)
        four[i] = __builtin_bswap32(four[i]);
    for (int64_t i = 0; i < count && width == 8; i++)
        eight[i] = __builtin_bswap64(eight[i]);
#else
    (void)values, (void)count, (void)width;
#endif
}

/* IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of mantissa. Exact. */
static float from_half(uint16_t half) {
    int exponent = half >> 10 & 31, mantissa = half & 1023;
    float value = exponent == 31  ? mantissa ? NAN : INFINITY
                  : exponent == 0 ? ldexpf((float)mantissa, -24)
                                  : ldexpf((float)(mantissa + 1024), exponent - 25);
    return half >> 15 ? -value : value;
}

#define CONVERT(type)                                                                              \
    do {                                                                                           \
        const type *from = values;                                                                 \
        for (int64_t i = 0; i < count; i++)                                                        \
            out[i] = (float)from[i];                                                               \
    } while (0)

void dl_dtype_to_floats(const void *values, dl_dtype type, int64_t count, float *restrict out) {
    switch (type) {
    case DL_U8:
        CONVERT(uint8_t);
        break;
    case DL_I8:
        CONVERT(int8_t);
        break;
    case DL_I16:
        CONVERT(int16_t);
        break;
    case DL_I32:
        CONVERT(int32_t);
        break;
    case DL_I64:
        CONVERT(int64_t);
        break;
    case DL_F32:
        memcpy(out, values, sizeof(float) * (size_t)count);
        break;
    case DL_F64:
        CONVERT(double);
        break;
    case DL_U16:
        CONVERT(uint16_t);
        break;
    case DL_U32:
        CONVERT(uint32_t);
        break;
    case DL_U64:
        CONVERT(uint64_t);
        break;
    case DL_F16:
        for (int64_t i = 0; i < count; i++)
            out[i] = from_half(((const uint16_t *)values)[i]);
        break;
    }
}

int64_t dl_dtype_integer(const void *values, dl_dtype type, int64_t i) {
    switch (type) {
    case DL_U8:
        return ((const uint8_t *)values)[i];
    case DL_I8:
        return ((const int8_t *)values)[i];
    case DL_I16:
        return ((const int16_t *)values)[i];
    case DL_I32:
        return ((const int32_t *)values)[i];
    case DL_U16:
        return ((const uint16_t *)values)[i];
    case DL_U32:
        return ((const uint32_t *)values)[i];
    case DL_U64: {
        uint64_t value = ((const uint64_t *)values)[i];
        return value > INT64_MAX ? INT64_MAX : (int64_t)value;
    }
    default:
        return ((const int64_t *)values)[i];
    }
}

double dl_dtype_number(const void *values, dl_dtype type, int64_t i) {
    if (type == DL_F32)
        return (double)((const float *)values)[i];
    if (type == DL_F16)
        return (double)from_half(((const uint16_t *)values)[i]);
    if (type == DL_U64)
        return (double)((const uint64_t *)values)[i];
    return type == DL_F64 ? ((const double *)values)[i] : (double)dl_dtype_integer(values, type, i);
}

int64_t dl_dtype_find_not_finite(const void *values, dl_dtype type, int64_t count) {
    for (int64_t i = 0; dl_dtype_is_float(type) && i < count; i++)
        if (!(fabs(dl_dtype_number(values, type, i)) <= (double)FLT_MAX)) /* true for NaN */
            return i;
    return -1;
}

dl_shape dl_dtype_row_shape(int rank, const int64_t *dim) {
    switch (rank) {
    case 1:
        return dl_shape1(1);
    case 2:
        return dl_shape1((int)dim[1]);
    case 3:
        return dl_shape3((int)dim[1], (int)dim[2], 1);
    default:
        return dl_shape3((int)dim[1], (int)dim[2], (int)dim[3]);
    }
}
