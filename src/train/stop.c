/* SPDX-License-Identifier: MIT */
#include "train/stop.h"

#include <math.h>

int64_t dl_stop_epoch(const dl_stop *stop, const dl_settings *s) {
    int64_t epoch = stop ? stop->parts : 0;
    if (epoch && stop->of)
        epoch = (s->epochs * stop->parts + stop->of - 1) / stop->of;
    return epoch && epoch < s->epochs ? epoch : s->epochs;
}

bool dl_has_stopped_early(const dl_settings *s, int64_t epoch, int64_t best_epoch) {
    return s->early_stopping && s->patience > 0 && epoch - best_epoch >= s->patience;
}

bool dl_improves(const dl_settings *s, double best, int64_t best_epoch, double value, bool higher) {
    if (isnan(value))
        return false;
    if (best_epoch == 0 || isnan(best))
        return true;
    return higher ? value > best + s->min_delta : value < best - s->min_delta;
}
