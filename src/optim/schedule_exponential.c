/* SPDX-License-Identifier: MIT */
/* base^n after n epochs or steps */
#include <math.h>

#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double base;
} exponential;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(exponential),
    DL_FLOAT_OPTION("factor", exponential, base, "0.95", 0, 1,
                    "after n epochs or steps the rate is learning_rate * factor^n"),
    DL_OPTIONS_END,
};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    (void)state;
    return pow(((const exponential *)self)->base, floor(time->now));
}

const dl_schedule_type dl_schedule_exponential = {
    .kind = {"exponential",
             "exponential decay: multiplies the rate by a factor in each epoch or step",
             sizeof(exponential), options},
    .factor = factor,
};
