/* SPDX-License-Identifier: MIT */
/* Data-dependent initial weights: training.initialize = "lsuv". */
#ifndef DL_TRAIN_LSUV_H
#define DL_TRAIN_LSUV_H

#include "data/loader.h"
#include "train/experiment.h"

typedef struct {
    int layers;           /* scaled; 0: not asked for */
    int64_t rows;         /* used */
    double least, most;   /* of the factors */
    const char *unscaled; /* the first layer with a constant output, or NULL */
} dl_lsuv;

/* Makes dl_net_initialize draw orthogonal weights. Both functions do nothing if lsuv was not asked
   for. */
void dl_lsuv_prepare(dl_experiment *experiment);
/* Scales the weights, layer by layer, on the first rows of the training part. 0, or -1 and an error
   of the data. */
int dl_lsuv_scale(dl_lsuv *lsuv, dl_experiment *experiment, dl_loader *train, int threads,
                  dl_error *error);

#endif
