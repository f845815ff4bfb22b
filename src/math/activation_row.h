/* SPDX-License-Identifier: MIT */
/* The loops over a row of the activation functions. The expressions are expanded into the loops, so
   that each function is vectorized. */
#ifndef DL_MATH_ACTIVATION_ROW_H
#define DL_MATH_ACTIVATION_ROW_H

#include "math/activation.h"
#include "math/scalar.h"

/* x and y are identical or do not overlap. Two loops, as a masked load of a missing bias is
   slow. */
#define DL_ROW_LOOP(input, expression)                                                             \
    _Pragma("omp simd") for (int64_t j = 0; j < channels; j++) {                                   \
        float v = (input);                                                                         \
        y[j] = (expression);                                                                       \
    }

/* The body of `row`: y = expression of v, the input. */
#define DL_ROW(expression)                                                                         \
    (void)f;                                                                                       \
    if (bias) {                                                                                    \
        DL_ROW_LOOP(x[j] + bias[j], expression)                                                    \
    } else {                                                                                       \
        DL_ROW_LOOP(x[j], expression)                                                              \
    }

/* The body of `derive`: the slope as an expression of v, the output, or with from_input the
   input. */
#define DL_SLOPE(expression)                                                                       \
    (void)f;                                                                                       \
    _Pragma("omp simd") for (int64_t j = 0; j < channels; j++) {                                   \
        float v = y[j];                                                                            \
        dx[j] = dy[j] * (expression);                                                              \
    }

#endif
