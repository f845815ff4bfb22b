/* From a gradient to the next weights: limits and noise, the optimizer's step, limits of the
 * weights. */
#ifndef DL_TRAIN_UPDATE_H
#define DL_TRAIN_UPDATE_H

#include "train/checkpoint.h"

/* Made once, before the first step. */
typedef struct {
    dl_span *spans; /* [span_count], owned: stretches of the weights that are treated alike */
    int span_count;
    dl_remembered remembered; /* owned */
} dl_update;

void dl_update_open(dl_update *update, const dl_experiment *experiment);
/* One step, from the net's gradients (which are changed) to its weights. */
void dl_update_step(const dl_update *update, const dl_experiment *experiment,
                    const dl_progress *progress, double rate);
void dl_update_close(dl_update *update);

#endif
