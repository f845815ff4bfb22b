/* SPDX-License-Identifier: MIT */
#include "math/threads.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static int threads = 1;

int dl_threads_available(void) {
#ifdef _OPENMP
    return omp_get_num_procs();
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

const char *dl_threads_warning(void) {
    static char line[256];
    const char *core = getenv("OPENBLAS_CORETYPE");
    const char *cache = getenv("OPENBLAS_L2_SIZE");
    if (!core && !cache)
        return NULL;
    bool both = core && cache;
    snprintf(line, sizeof line,
             "%s%s%s %s set in the environment: OpenBLAS may use weaker kernels than this "
             "processor has (unset %s for full speed)",
             core ? "OPENBLAS_CORETYPE" : "", both ? " and " : "", cache ? "OPENBLAS_L2_SIZE" : "",
             both ? "are" : "is", both ? "them" : "it");
    return line;
}
