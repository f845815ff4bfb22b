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

dl_text dl_experiment_columns(const dl_experiment *e) {
    dl_text line = {0};
    for (int part = 0; part < 2; part++) {
        const char *prefix = part ? "val" : "train";
        if (part && !e->model.data.part[DL_VALIDATION].count)
            continue;
        dl_text_add(&line, "%s%s_loss", part ? "," : "", prefix);
        for (int m = 0; m < e->model.metric_count; m++)
            if (part || dl_metric_in_training(e->model.metrics[m]))
                dl_text_add(&line, ",%s_%s", prefix, e->model.metrics[m]->name);
        for (int h = 0; !part && h < e->model.net.head_count; h++)
            dl_text_add(&line, ",train_%s_loss", e->model.net.heads[h].name);
        if (!part && dl_experiment_penalized(e))
            dl_text_add(&line, ",train_objective");
    }
    return line;
}

void dl_experiment_free(dl_experiment *e) {
    dl_model_free(&e->model);
    *e = (dl_experiment){0};
}
