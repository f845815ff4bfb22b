/* SPDX-License-Identifier: MIT */
#include "math/backend.h"

#include <cblas.h>
#include <stddef.h>
#include <stdio.h>

#include "math/blas_core.h"
#include "math/onednn.h"

const char *const dl_backend_names[] = {"auto", "openblas", "onednn", NULL};

static dl_backend chosen;
static bool bf16;

bool dl_backend_has_onednn(void) {
    return dl_onednn_version() != NULL;
}

void dl_backend_set(dl_backend backend) {
    chosen = backend;
}

dl_backend dl_backend_get(void) {
    return chosen;
}

const char *dl_backend_lacks_for_bf16(void) {
    if (!dl_backend_has_onednn())
        return "this dltrain was built without oneDNN";
    if (chosen == DL_BACKEND_OPENBLAS)
        return "it needs oneDNN, and --backend openblas leaves that out";
    return dl_onednn_has_bf16() ? NULL : "this processor lacks AVX512_BF16";
}

void dl_backend_set_bf16(bool wanted) {
    bf16 = wanted;
}

bool dl_backend_get_bf16(void) {
    return bf16;
}

const char *dl_backend_description(void) {
    static char text[256];
    const char *onednn = dl_onednn_version();
    snprintf(text, sizeof text, "%s%s%s", openblas_get_config(), onednn ? "; oneDNN " : "",
             onednn ? onednn : "");
    return text;
}

const char *dl_backend_summary(void) {
    static char text[256];
    const char *onednn = dl_onednn_version();
    bool used = onednn && chosen != DL_BACKEND_OPENBLAS;
    snprintf(text, sizeof text, "OpenBLAS %s%s%s (%s)%s", dl_blas_core_description(),
             used ? ", oneDNN " : "", used ? onednn : "", dl_backend_names[chosen],
             bf16 ? ", factors as bfloat16" : "");
    return text;
}
