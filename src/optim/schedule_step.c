/* SPDX-License-Identifier: MIT */
/* factor^(the number of cuts so far) */
#include <math.h>

#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double every, factor;
} step;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(step),
    DL_FLOAT_OPTION("every", step, every, "10", 1e-6, 1e9, "epochs or steps between two cuts"),
    DL_FLOAT_OPTION("factor", step, factor, "0.1", 0, 1,
                    "what each cut multiplies the rate by: a cut by the share t is 1 - t"),
    DL_OPTIONS_END,
};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    const step *s = self;
    (void)state;
    return pow(s->factor, floor(time->now / s->every));
}

const dl_schedule_type dl_schedule_step = {
    .kind = {"step", "multiplied by a factor every so many epochs or steps", sizeof(step), options},
    .factor = factor,
};
