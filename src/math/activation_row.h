/* SPDX-License-Identifier: MIT */
/* What the file of an activation function is made of: its loops over a row. The expressions are
   put into the loops, so that each function has vector code of its own. */
#ifndef DL_MATH_ACTIVATION_ROW_H
#define DL_MATH_ACTIVATION_ROW_H

#include "math/activation.h"
#include "math/scalar.h"

/* x and y are the same or apart, so that no element depends on another. Two loops, since a masked
   load from a bias that is not there is slower than all the rest. */
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

/* The body of `derive`: the slope as an expression of v, the output; or the input, of a function
   that is derived from_input. */
#define DL_SLOPE(expression)                                                                       \
    (void)f;                                                                                       \
    _Pragma("omp simd") for (int64_t j = 0; j < channels; j++) {                                   \
        float v = y[j];                                                                            \
        dx[j] = dy[j] * (expression);                                                              \
    }

#endif
