/* SPDX-License-Identifier: MIT */
/* Which processor's kernels OpenBLAS uses. It chooses when it is loaded; an OpenBLAS before 0.3.25
   takes Prescott's (SSE3) on processors that are newer than it is (OpenBLAS issue 4267). */
#ifndef DL_MATH_BLAS_CORE_H
#define DL_MATH_BLAS_CORE_H

#include <stdbool.h>

/* What a processor, with its operating system, can do. avx512: F, CD, BW, DQ and VL. */
typedef struct {
    bool intel, avx, avx2, avx512; /* avx2: with FMA */
} dl_processor;

dl_processor dl_processor_get(void);
/* The value of OPENBLAS_CORETYPE for kernels that are better on this processor than those of `core`
   (as openblas_get_corename has it); NULL: they are as good, or unknown. Those of AVX2 are as good
   as those of AVX-512 but on Intel's processors. */
const char *dl_blas_better_core(const char *core, dl_processor processor);
/* If OpenBLAS has taken weaker kernels, and the user has not chosen them, sets OPENBLAS_CORETYPE
   and returns true: it takes effect when the program is started anew. */
bool dl_blas_core_set(void);
/* Whether OpenBLAS multiplies right. */
bool dl_blas_core_check(void);
/* "Haswell", or "Haswell (set by dltrain, instead of Prescott)"; owned by it. */
const char *dl_blas_core_description(void);
/* A line about kernels that are weaker than the processor, or an environment that makes them so;
   NULL: there is none. */
const char *dl_blas_core_warning(void);

#endif
