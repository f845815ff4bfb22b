/* SPDX-License-Identifier: MIT */
#include "math/threads.h"

#include <cblas.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static int threads = 1;

int dl_threads_available(void) {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

void dl_threads_set(int count) {
    threads = count < 1 ? 1 : count;
#ifdef _OPENMP
    omp_set_dynamic(0);
    omp_set_num_threads(threads);
#else
    threads = 1;
#endif
    openblas_set_num_threads(threads);
}

int dl_threads(void) {
    return threads;
}

int dl_threads_alone(void) {
    int before = threads;
    dl_threads_set(1);
    return before;
}

int dl_threads_enter(int count) {
    int before = dl_threads_available();
    dl_threads_leave(count);
    return before;
}

void dl_threads_leave(int before) {
#ifdef _OPENMP
    omp_set_num_threads(before); /* OpenBLAS's OpenMP build asks for it */
#else
    (void)before;
#endif
}

int dl_thread_number(void) {
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

int dl_threads_in_team(void) {
#ifdef _OPENMP
    return omp_get_num_threads();
#else
    return 1;
#endif
}

bool dl_threads_are_busy(void) {
#ifdef _OPENMP
    return omp_in_parallel();
#else
    return false;
#endif
}
