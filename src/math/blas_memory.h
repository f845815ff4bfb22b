/* SPDX-License-Identifier: MIT */
/* OpenBLAS reserves address space for each thread, when it is loaded and when threads start their
   own products. If a limit (ulimit -v) forbids it, it retries forever. So a program linked with
   this file checks before its libraries are initialized, and exits with a message. */
#ifndef DL_MATH_BLAS_MEMORY_H
#define DL_MATH_BLAS_MEMORY_H

#include "base/error.h"

/* With limited memory, makes OpenBLAS reserve now what `threads` may need later; -1 and an error if
   there is not enough. */
int dl_blas_memory_reserve(int threads, dl_error *error);

#endif
