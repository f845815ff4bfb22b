/* SPDX-License-Identifier: MIT */
/* Which library's kernels do the heavy products. */
#ifndef DL_MATH_BACKEND_H
#define DL_MATH_BACKEND_H

#include <stdbool.h>

typedef enum {
    DL_BACKEND_AUTO,     /* whichever was measured to be faster for a shape */
    DL_BACKEND_OPENBLAS, /* OpenBLAS alone */
    DL_BACKEND_ONEDNN    /* oneDNN wherever it has a kernel */
} dl_backend;

extern const char *const dl_backend_names[]; /* in the enum's order; NULL at the end */

/* Was dltrain built with oneDNN? */
bool dl_backend_has_onednn(void);
/* To be called before anything is built. */
void dl_backend_set(dl_backend backend);
dl_backend dl_backend_get(void);
/* Why large products cannot take their factors as bfloat16, as a clause; NULL if they can. */
const char *dl_backend_lacks_for_bf16(void);
/* From now on what is built to be trained does so; sums and weights stay float. */
void dl_backend_set_bf16(bool bf16);
bool dl_backend_get_bf16(void);
/* The libraries in use, in short: "OpenBLAS Cooperlake, oneDNN 2.6.3 (auto)"; owned by it.
 */
const char *dl_backend_summary(void);
/* The libraries' names and versions, for people; owned by it. */
const char *dl_backend_description(void);

#endif
