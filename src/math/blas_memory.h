/* SPDX-License-Identifier: MIT */
/* OpenBLAS reserves address space for each thread: when it is loaded, and once more when threads
   make products of their own. Where a limit (ulimit -v) forbids it, it tries again forever. So a
   program with this file in it looks first, before its libraries are initialized, and ends with a
   message.
 */
#ifndef DL_MATH_BLAS_MEMORY_H
#define DL_MATH_BLAS_MEMORY_H

#include "base/error.h"

/* Where memory is limited, has OpenBLAS reserve now what so many threads may ever need, so that it
   cannot fail later; -1 and an error if there is no room. */
int dl_blas_memory_reserve(int threads, dl_error *error);

#endif
