/* SPDX-License-Identifier: MIT */
/* factor = (1 - n / total)^power after n of `total` epochs or steps, then 0, as PyTorch's
   PolynomialLR; Chen et al., "DeepLab", 2016, call it "poly" (power 0.9). */
#include <math.h>

#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double power, total;
} polynomial;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(polynomial),
    DL_FLOAT_OPTION("power", polynomial, power, "1.0", 0, 100,
                    "exponent: 1 is a straight line, larger values fall faster at first"),
    DL_FLOAT_OPTION("total", polynomial, total, "0.0", 0, 1e9,
                    "epochs or steps after which the rate is 0; 0: the length of the training"),
    DL_OPTIONS_END,
};

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    const polynomial *p = self;
    double total = p->total > 0 ? p->total : time->total;
    (void)state;
    return time->now < total ? pow(1 - time->now / total, p->power) : 0;
}

const dl_schedule_type dl_schedule_polynomial = {
    .kind =
        {"polynomial",
         "polynomial decay: the rate falls to 0 as a power of the remaining share of the training",
         sizeof(polynomial), options},
    .factor = factor,
};
