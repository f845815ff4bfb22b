/* SPDX-License-Identifier: MIT */
/* Initial weights that fit the data: training.initialize = "lsuv". */
#ifndef DL_TRAIN_LSUV_H
#define DL_TRAIN_LSUV_H

#include "data/loader.h"
#include "train/experiment.h"

typedef struct {
    int layers;           /* that were scaled; 0: it was not asked for */
    int64_t rows;         /* on how many */
    double least, most;   /* of the factors */
    const char *unscaled; /* the first layer whose output does not vary, or NULL */
} dl_lsuv;

/* Makes the net's layers orthogonal when dl_net_initialize is called. Does nothing if lsuv was not
   asked for, as the next one. */
void dl_lsuv_prepare(dl_experiment *experiment);
/* Then scales their weights, layer by layer, on the first rows of the training part. 0, or -1 and
   an error of the data. */
int dl_lsuv_scale(dl_lsuv *lsuv, dl_experiment *experiment, dl_loader *train, int threads,
                  dl_error *error);

#endif
