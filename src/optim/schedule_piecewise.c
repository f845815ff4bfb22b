/* SPDX-License-Identifier: MIT */
/* Constant factors from given epochs or steps on. */
#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    dl_numbers at, factors;
} piecewise;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(piecewise),
    DL_NUMBERS_OPTION(
        "at", piecewise, at, DL_REQUIRED, 0, 1e9,
        "epochs or steps after which the rate changes, in ascending order: at = (30, 60)"),
    DL_NUMBERS_OPTION("factors", piecewise, factors, DL_REQUIRED, 0, 1e6,
                      "factors of learning_rate from then on, one for each element of `at`: "
                      "factors = (0.1, 0.01)"),
    DL_OPTIONS_END,
};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    const piecewise *p = self;
    double now = 1;
    (void)state;
    for (int i = 0; i < p->at.count && p->at.items[i] <= time->now; i++)
        now = p->factors.items[i];
    return now;
}

static int check(const void *self, const char *where, dl_error *error) {
    const piecewise *p = self;
    if (p->at.count != p->factors.count)
        return dl_fail(
            error, DL_USAGE,
            "%s: \"at\" has %d values and \"factors\" has %d: there must be one factor for each",
            where, p->at.count, p->factors.count);
    for (int i = 1; i < p->at.count; i++)
        if (p->at.items[i] <= p->at.items[i - 1])
            return dl_fail(error, DL_USAGE, "%s: \"at\" must be ascending, but %.15g follows %.15g",
                           where, p->at.items[i], p->at.items[i - 1]);
    return 0;
}

const dl_schedule_type dl_schedule_piecewise = {
    .kind =
        {"piecewise",
         "piecewise constant: multiplies the rate by given factors from given epochs or steps on",
         sizeof(piecewise), options},
    .factor = factor,
    .check = check,
};
