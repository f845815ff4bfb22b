/* SPDX-License-Identifier: MIT */
/* Inference speed. */
#ifndef DL_INSPECT_SPEED_H
#define DL_INSPECT_SPEED_H

#include "data/loader.h"
#include "model/model.h"

typedef struct {
    int64_t samples;           /* in a batch */
    double seconds;            /* per forward pass: the median over blocks of passes */
    double fastest, slowest;   /* seconds per pass, over the blocks */
    double samples_per_second; /* at the median */
} dl_speed;

/* Times forward passes of the loader's first batch for about two seconds. */
int dl_speed_measure(dl_model *model, dl_loader *loader, dl_speed *speed, dl_error *error);

#endif
