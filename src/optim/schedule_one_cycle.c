/* SPDX-License-Identifier: MIT */
/* Smith and Topin, "Super-convergence: very fast training of neural networks using large learning
   rates", 2018 (arXiv:1708.07120), in two cosine phases as in PyTorch; the momentum is constant. */
#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double rise, start, end;
} one_cycle;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(one_cycle),
    DL_FLOAT_OPTION(
        "rise", one_cycle, rise, "0.3", 0, 1,
        "share of the training in which the rate rises to learning_rate; then it falls"),
    DL_FLOAT_OPTION("start", one_cycle, start, "0.04", 0, 1,
                    "initial rate as a share of learning_rate"),
    DL_FLOAT_OPTION("end", one_cycle, end, "4e-6", 0, 1, "final rate as a share of learning_rate"),
    DL_OPTIONS_END,
};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    const one_cycle *c = self;
    double peak = c->rise * time->total - time->tick, last = time->total - time->tick;
    (void)state;
    if (time->now < peak)
        return dl_schedule_along_cosine(c->start, 1, time->now / peak);
    peak = peak < 0 ? 0 : peak;
    double part = last > peak ? (time->now - peak) / (last - peak) : 0;
    return dl_schedule_along_cosine(1, c->end, part > 1 ? 1 : part);
}

const dl_schedule_type dl_schedule_one_cycle = {
    .kind = {"one_cycle",
             "one-cycle policy: the rate rises to a large value and then falls to almost zero, "
             "along cosines",
             sizeof(one_cycle), options},
    .factor = factor,
};
