/* SPDX-License-Identifier: MIT */
/* factor^(number of reductions so far) */
#include <math.h>

#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double every, factor;
} step;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(step),
    DL_FLOAT_OPTION("every", step, every, "10", 1e-6, 1e9,
                    "epochs or steps between reductions of the rate"),
    DL_FLOAT_OPTION("factor", step, factor, "0.1", 0, 1, "factor of each reduction"),
    DL_OPTIONS_END,
};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    const step *s = self;
    (void)state;
    return pow(s->factor, floor(time->now / s->every));
}

const dl_schedule_type dl_schedule_step = {
    .kind = {"step", "step decay: multiplies the rate by a factor every few epochs or steps",
             sizeof(step), options},
    .factor = factor,
};
