/* SPDX-License-Identifier: MIT */
#include "math/blas_core.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The core that OpenBLAS had taken before dltrain set another one, for the second start. */
#define REPLACED "DLTRAIN_OPENBLAS_REPLACED"

dl_processor dl_processor_get(void) {
    dl_processor p = {0};
#if defined __x86_64__ || defined __i386__
    __builtin_cpu_init();
    p.intel = __builtin_cpu_is("intel");
    p.avx = __builtin_cpu_supports("avx");
    p.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    p.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
#endif
    return p;
}

typedef enum { SSE, AVX, AVX2, AVX512 } level;

/* A core that is not listed here is one that a newer library knows: it knows best. */
static level level_of(const char *core) {
    static const char *const names[][20] = {
        [SSE] = {"Prescott", "Generic", "Core2", "Penryn", "Dunnington", "Nehalem", "Atom", "Nano",
                 "Athlon", "Opteron", "Opteron_SSE3", "Barcelona", "Bobcat", "Katmai", "Coppermine",
                 "Northwood", "Banias"},
        [AVX] = {"Sandybridge", "Bulldozer", "Piledriver", "Steamroller"},
        [AVX2] = {"Haswell", "Zen", "Excavator"},
    };
    for (level l = SSE; l <= AVX2; l++)
        for (int i = 0; i < 20 && names[l][i]; i++)
            if (!strcasecmp(core, names[l][i]))
                return l;
    return AVX512;
}

const char *dl_blas_better_core(const char *core, dl_processor p) {
    level needed = p.avx512 && p.intel ? AVX512 : p.avx2 ? AVX2 : p.avx ? AVX : SSE;
    if (level_of(core) >= needed)
        return NULL;
    return p.avx512 ? "SkylakeX" : p.avx2 ? "Haswell" : "Sandybridge";
}

static const char *own_choice(void) {
    const char *core = getenv("OPENBLAS_CORETYPE");
    return core && *core && !getenv(REPLACED) ? core : NULL;
}

bool dl_blas_core_set(void) {
    const char *core = openblas_get_corename();
    const char *better = dl_blas_better_core(core, dl_processor_get());
    if (!better || getenv(REPLACED) || own_choice() ||
        !strstr(openblas_get_config(), "DYNAMIC_ARCH"))
        return false;
    return !setenv("OPENBLAS_CORETYPE", better, 1) && !setenv(REPLACED, core, 1);
}

/* Whole numbers, so that the sums are exact whatever their order. */
bool dl_blas_core_check(void) {
    enum { M = 33, N = 47, K = 40 };
    static float a[M * K], b[K * N], c[M * N];
    for (int i = 0; i < M * K; i++)
        a[i] = (float)(i * 7 % 11 - 5);
    for (int i = 0; i < K * N; i++)
        b[i] = (float)(i * 5 % 13 - 6);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, M, N, K, 1, a, K, b, N, 0, c, N);
    bool right = true;
    for (int i = 0; i < M * N; i++) {
        float sum = 0;
        for (int k = 0; k < K; k++)
            sum += a[i / N * K + k] * b[k * N + i % N];
        right &= sum == c[i];
    }
    return right;
}

const char *dl_blas_core_description(void) {
    static char text[128];
    const char *core = openblas_get_corename(), *replaced = getenv(REPLACED);
    bool changed = replaced && strcasecmp(core, replaced) != 0;
    snprintf(text, sizeof text, "%s%s%s%s", core, changed ? " (set by dltrain, instead of " : "",
             changed ? replaced : "", changed ? ")" : "");
    return text;
}

const char *dl_blas_core_warning(void) {
    static char line[256];
    const char *core = openblas_get_corename();
    const char *better = dl_blas_better_core(core, dl_processor_get());
    if (better && own_choice())
        snprintf(line, sizeof line,
                 "OPENBLAS_CORETYPE is set in the environment: OpenBLAS uses the kernels of %s, "
                 "weaker than this processor (OPENBLAS_CORETYPE=%s for full speed)",
                 core, better);
    else if (better)
        snprintf(line, sizeof line,
                 "OpenBLAS uses the kernels of %s, weaker than this processor: it has none for it "
                 "(a newer OpenBLAS is faster)",
                 core);
    else if (getenv("OPENBLAS_L2_SIZE"))
        snprintf(line, sizeof line,
                 "OPENBLAS_L2_SIZE is set in the environment: OpenBLAS may use blocks that do not "
                 "fit this processor's cache (unset it for full speed)");
    else
        return NULL;
    return line;
}
