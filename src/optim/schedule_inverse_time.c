/* SPDX-License-Identifier: MIT */
/* factor = 1 / (1 + decay n) after n epochs or steps */
#include <math.h>

#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double decay;
} inverse_time;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(inverse_time),
    DL_FLOAT_OPTION("decay", inverse_time, decay, "0.1", 0, 1e6,
                    "after n epochs or steps the rate is learning_rate / (1 + decay * n)"),
    DL_OPTIONS_END,
};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    (void)state;
    return 1 / (1 + ((const inverse_time *)self)->decay * floor(time->now));
}

const dl_schedule_type dl_schedule_inverse_time = {
    .kind = {"inverse_time",
             "inverse time decay: divides the rate by 1 + decay * n after n epochs or steps",
             sizeof(inverse_time), options},
    .factor = factor,
};
