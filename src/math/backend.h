/* SPDX-License-Identifier: MIT */
/* The library of the matrix products and convolutions. */
#ifndef DL_MATH_BACKEND_H
#define DL_MATH_BACKEND_H

#include <stdbool.h>

typedef enum {
    DL_BACKEND_AUTO,     /* by shape, from measurements */
    DL_BACKEND_OPENBLAS, /* OpenBLAS only */
    DL_BACKEND_ONEDNN    /* oneDNN wherever it has a kernel */
} dl_backend;

extern const char *const dl_backend_names[]; /* in the enum's order; NULL at the end */

/* Whether dltrain was built with oneDNN. */
bool dl_backend_has_onednn(void);
/* To be called before any net is built. */
void dl_backend_set(dl_backend backend);
dl_backend dl_backend_get(void);
/* Why large products cannot use bfloat16 factors, as a clause; NULL if they can. */
const char *dl_backend_lacks_for_bf16(void);
/* Nets that are built for training from now on use bfloat16 factors; sums and weights are float. */
void dl_backend_set_bf16(bool bf16);
bool dl_backend_get_bf16(void);
/* The libraries in use: "OpenBLAS Cooperlake, oneDNN 2.6.3 (auto)"; static memory. */
const char *dl_backend_summary(void);
/* Names and versions of the libraries; static memory. */
const char *dl_backend_description(void);

#endif
