/* SPDX-License-Identifier: MIT */
#include "train/experiment.h"

bool dl_experiment_penalized(const dl_experiment *e) {
    bool found = false;
    for (int i = 0; i < e->model.net.layer_count; i++) {
        const dl_layer *layer = &e->model.net.layers[i];
        found |= (layer->l1 < 0 ? e->settings.l1 : layer->l1) > 0;
        found |= (layer->l2 < 0 ? e->settings.l2 : layer->l2) > 0;
    }
    return found;
}

void dl_experiment_free(dl_experiment *e) {
    dl_model_free(&e->model);
    *e = (dl_experiment){0};
}
