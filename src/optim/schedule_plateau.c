/* SPDX-License-Identifier: MIT */
/* A reduction of the rate each time that a column of the history stops improving. */
#include <math.h>

#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double factor, min_delta, lowest;
    int64_t patience;
} plateau;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(plateau),
    DL_STRING_OPTION("monitor", plateau, common.monitor, "val_loss",
                     "column of history.csv that must improve: \"val_loss\", \"val_accuracy\", "
                     "\"train_loss\", …"),
    DL_FLOAT_OPTION("factor", plateau, factor, "0.1", 0, 1, "factor of each reduction of the rate"),
    DL_INT_OPTION("patience", plateau, patience, "10", 1, 1e9,
                  "epochs without improvement before the rate is reduced; counted again after each "
                  "reduction"),
    DL_FLOAT_OPTION("min_delta", plateau, min_delta, "0.0", 0, 1e9,
                    "smallest change that counts as an improvement"),
    DL_FLOAT_OPTION("lowest", plateau, lowest, "0.0", 0, 1,
                    "minimum of the rate as a share of learning_rate"),
    DL_OPTIONS_END,
};

/* Indices into the state. */
enum { CUTS, WAITED, BEST, BEGUN };

static double factor(const void *self, const dl_schedule_time *time, const double *state) {
    const plateau *p = self;
    (void)time;
    return fmax(pow(p->factor, state[CUTS]), p->lowest);
}

/* NaN is never an improvement. */
static void observe(const void *self, double value, bool higher, double *state) {
    const plateau *p = self;
    bool better = higher ? value > state[BEST] + p->min_delta : value < state[BEST] - p->min_delta;
    if (!isnan(value) && (better || state[BEGUN] == 0)) {
        state[BEST] = value;
        state[BEGUN] = 1;
        state[WAITED] = 0;
    } else if (++state[WAITED] >= (double)p->patience) {
        state[CUTS]++;
        state[WAITED] = 0;
    }
}

const dl_schedule_type dl_schedule_plateau = {
    .kind = {"plateau", "reduces the rate when a monitored value stops improving", sizeof(plateau),
             options},
    .factor = factor,
    .observe = observe,
};
