/* SPDX-License-Identifier: MIT */
/* factor = scale / sqrt(n) in epoch or step n, from 1 */
#include <math.h>

#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double scale;
} root;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(root),
    DL_FLOAT_OPTION("scale", root, scale, "1.0", 0, 1e6,
                    "in epoch or step n (from 1) the rate is learning_rate * scale / sqrt(n)"),
    DL_OPTIONS_END,
};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    (void)state;
    return ((const root *)self)->scale / sqrt(1 + floor(time->now));
}

const dl_schedule_type dl_schedule_sqrt = {
    .kind = {"sqrt", "divides the rate by the square root of the epoch or step number",
             sizeof(root), options},
    .factor = factor,
};
