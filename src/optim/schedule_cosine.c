/* SPDX-License-Identifier: MIT */
/* Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, without
   restarts. */
#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double end;
} cosine;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(cosine),
    DL_FLOAT_OPTION("end", cosine, end, "0.0", 0, 1, "final rate as a share of learning_rate"),
    DL_OPTIONS_END,
};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    double part = time->total > 0 ? time->now / time->total : 0;
    (void)state;
    return dl_schedule_along_cosine(1, ((const cosine *)self)->end, part > 1 ? 1 : part);
}

const dl_schedule_type dl_schedule_cosine = {
    .kind = {"cosine",
             "cosine annealing: the rate falls in each step along half a cosine from learning_rate "
             "to its final value",
             sizeof(cosine), options},
    .factor = factor,
};
