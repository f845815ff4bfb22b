/* SPDX-License-Identifier: MIT */
/* How fast a net answers. */
#ifndef DL_INSPECT_SPEED_H
#define DL_INSPECT_SPEED_H

#include "data/loader.h"
#include "model/model.h"

typedef struct {
    int64_t samples;           /* in a batch */
    double seconds;            /* a forward pass takes: the median over blocks of passes */
    double fastest, slowest;   /* blocks' seconds a pass */
    double samples_per_second; /* at the median */
} dl_speed;

/* Times forward passes over the loader's first batch, again and again for about two seconds. */
int dl_speed_measure(dl_model *model, dl_loader *loader, dl_speed *speed, dl_error *error);

#endif
