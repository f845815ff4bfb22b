/* SPDX-License-Identifier: MIT */
#include "optim/schedule.h"

const char *const dl_schedule_units[] = {"epoch", "step", NULL};

static double now_of(const dl_schedule_common *common, const dl_schedule_clock *clock) {
    return common->by ? (double)clock->step
                      : (double)clock->epoch + (double)clock->epoch_step / (double)clock->steps;
}

double dl_schedule_factor(const dl_schedule_type *type, const void *self,
                          const dl_schedule_clock *clock, const double *state) {
    const dl_schedule_common *common = self;
    double now = now_of(common, clock), warmup = common->warmup;
    dl_schedule_time time = {now - warmup, (double)clock->epochs - warmup,
                             1 / (double)clock->steps};
    if (common->by) {
        time.total = (double)clock->epochs * (double)clock->steps - warmup;
        time.tick = 1;
    }
    if (now >= warmup)
        return type->factor(self, &time, state);
    double part = (now + time.tick) / warmup;
    time.now = 0;
    return type->factor(self, &time, state) * (part > 1 ? 1 : part);
}

void dl_schedule_observe(const dl_schedule_type *type, const void *self,
                         const dl_schedule_clock *clock, double value, bool higher, double *state) {
    const dl_schedule_common *common = self;
    if (type->observe && now_of(common, clock) > common->warmup)
        type->observe(self, value, higher, state);
}
