/* SPDX-License-Identifier: MIT */
/* Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, without
   the restarts. */
#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double end;
} cosine;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(cosine),
    DL_FLOAT_OPTION(
        "end", cosine, end, "0.0", 0, 1,
        "share of the rate that is left after the last epoch; it falls a little in every step"),
    DL_OPTIONS_END,
};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    double part = time->total > 0 ? time->now / time->total : 0;
    (void)state;
    return dl_schedule_along_cosine(1, ((const cosine *)self)->end, part > 1 ? 1 : part);
}

const dl_schedule_type dl_schedule_cosine = {
    .kind = {"cosine", "down along half a cosine, from the rate to its end", sizeof(cosine),
             options},
    .factor = factor,
};
