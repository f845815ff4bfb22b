/* SPDX-License-Identifier: MIT */
#include "inspect/speed.h"

#include <stdlib.h>

#include "base/terminal.h"

enum { BLOCKS = 100, WARM_UP = 3 };
static const double block_seconds = 0.02;

static double time_passes(dl_model *model, const dl_batch *batch, int64_t passes) {
    dl_pass pass = {.batch = (int)batch->count};
    double started = dl_clock();
    for (int64_t i = 0; i < passes; i++)
        dl_net_forward(&model->net, batch->x, &pass);
    return (dl_clock() - started) / (double)passes;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int dl_speed_measure(dl_model *model, dl_loader *loader, dl_speed *speed, dl_error *error) {
    double seconds[BLOCKS];
    dl_loader_start(loader, false, 0, 0, 0);
    const dl_batch *batch = dl_loader_next(loader, error);
    if (!batch)
        return -1;
    time_passes(model, batch, WARM_UP); /* the first pass reorders the weights */
    int64_t passes = (int64_t)(block_seconds / time_passes(model, batch, WARM_UP)) + 1;
    for (int i = 0; i < BLOCKS; i++)
        seconds[i] = time_passes(model, batch, passes);
    qsort(seconds, BLOCKS, sizeof *seconds, ascending);
    double median = seconds[BLOCKS / 2];
    *speed = (dl_speed){batch->count, median, seconds[0], seconds[BLOCKS - 1],
                        (double)batch->count / median};
    return 0;
}
