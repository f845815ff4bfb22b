/* SPDX-License-Identifier: MIT */
/* Inputs that maximize a unit. */
#ifndef DL_INSPECT_MAXIMIZE_H
#define DL_INSPECT_MAXIMIZE_H

#include "inspect/look.h"

typedef struct {
    int64_t steps, jitter, blur_every, octaves, seed;
    double rate, l2, variation;
    bool mean;        /* start from the mean of the data, not from noise around it */
    const char *from; /* start from an image file, or NULL */
    bool dream;       /* in octaves: from coarse detail to fine */
} dl_maximize_options;

/* dlinspect maximize: draws one input per unit, from a net built with input_gradient, and prints
   how the output rises. */
int dl_look_at_maxima(dl_look *look, const dl_maximize_options *options, dl_error *error);

#endif
