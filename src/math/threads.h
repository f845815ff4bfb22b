/* SPDX-License-Identifier: MIT */
/* The one thread pool: OpenMP's, which OpenBLAS (in its OpenMP build) shares. */
#ifndef DL_MATH_THREADS_H
#define DL_MATH_THREADS_H

#include <stdbool.h>

/* OMP_NUM_THREADS, or the processors that this process may use; to be called before
   dl_threads_set. */
int dl_threads_available(void);
/* Sets how many threads the kernels use (at least 1), for OpenBLAS too. */
void dl_threads_set(int count);
int dl_threads(void);
/* One thread until dl_threads_set(what this returns). For factorizations: OpenBLAS's sums depend on
   its number of threads, and many small operations are far slower with several. Newer versions of
   its OpenMP build heed OpenMP's number of threads, not openblas_set_num_threads. */
int dl_threads_alone(void);
/* The number of this thread within a parallel region, from 0. */
int dl_thread_number(void);
/* How many threads the parallel region around the call has. */
int dl_threads_in_team(void);
/* Is this within a parallel region, where nothing may start another? */
bool dl_threads_are_busy(void);

#endif
