/* SPDX-License-Identifier: MIT */
/* The thread pool: OpenMP, which OpenBLAS (in its OpenMP build) shares. */
#ifndef DL_MATH_THREADS_H
#define DL_MATH_THREADS_H

#include <stdbool.h>

/* OMP_NUM_THREADS, or the processors available to this process; call before dl_threads_set. */
int dl_threads_available(void);
/* Sets the number of threads (at least 1), of OpenBLAS too. */
void dl_threads_set(int count);
int dl_threads(void);
/* Sets one thread and returns the previous number, for dl_threads_set. For factorizations: the sums
   of OpenBLAS depend on the number of threads, and many small operations are slower with
   several. */
int dl_threads_alone(void);
/* Sets the number of threads of the calling thread's parallel regions, of OpenBLAS too, and returns
   what it was, for dl_threads_leave. For libraries. */
int dl_threads_enter(int count);
void dl_threads_leave(int before);
/* The index of this thread in its parallel region, from 0. */
int dl_thread_number(void);
/* The number of threads of the enclosing parallel region. */
int dl_threads_in_team(void);
/* Whether this is in a parallel region, which must not start another. */
bool dl_threads_are_busy(void);

#endif
