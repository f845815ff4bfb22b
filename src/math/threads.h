/* The one thread pool: OpenMP's, which OpenBLAS (in its OpenMP build) shares. */
#ifndef DL_MATH_THREADS_H
#define DL_MATH_THREADS_H

/* Processors that this process may use. */
int dl_threads_available(void);
/* Sets how many threads the kernels use (at least 1), for OpenBLAS too. */
void dl_threads_set(int count);
int dl_threads(void);
/* The number of this thread within a parallel region, from 0. */
int dl_thread_number(void);
/* A line about an environment that forces weak kernels on OpenBLAS, or NULL. */
const char *dl_threads_warning(void);
/* OpenBLAS's version and the processor kernels that it chose; owned by it. */
const char *dl_blas_description(void);

#endif
