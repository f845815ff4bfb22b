/* SPDX-License-Identifier: MIT */
/* The processor type whose kernels OpenBLAS uses. OpenBLAS chooses it when it is loaded; before
   0.3.25 it chooses Prescott (SSE3) for processors that it does not know (OpenBLAS issue 4267). */
#ifndef DL_MATH_BLAS_CORE_H
#define DL_MATH_BLAS_CORE_H

#include <stdbool.h>

/* Instruction sets of processor and operating system. avx512: F, CD, BW, DQ and VL. */
typedef struct {
    bool intel, avx, avx2, avx512; /* avx2: with FMA */
} dl_processor;

dl_processor dl_processor_get(void);
/* The value of OPENBLAS_CORETYPE for better kernels than those of `core` (openblas_get_corename) on
   this processor; NULL: there are none, or `core` is unknown. AVX2 counts as good as AVX-512 except
   on Intel processors. */
const char *dl_blas_better_core(const char *core, dl_processor processor);
/* If OpenBLAS chose weaker kernels and the user did not, sets OPENBLAS_CORETYPE and returns true:
   the program must be executed again. */
bool dl_blas_core_set(void);
/* Whether OpenBLAS multiplies correctly. */
bool dl_blas_core_check(void);
/* "Haswell", or "Haswell (set by dltrain, instead of Prescott)"; static memory. */
const char *dl_blas_core_description(void);
/* A warning about kernels weaker than the processor, or an environment that causes them; or
   NULL. */
const char *dl_blas_core_warning(void);

#endif
