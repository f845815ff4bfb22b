/* SPDX-License-Identifier: MIT */
/* factor = 1 */
#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
} constant;

static const dl_option options[] = {DL_SCHEDULE_OPTIONS(constant), DL_OPTIONS_END};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    (void)self, (void)time, (void)state;
    return 1;
}

const dl_schedule_type dl_schedule_constant = {
    .kind = {"constant", "constant learning rate", sizeof(constant), options}, .factor = factor};
