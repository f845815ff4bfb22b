/* SPDX-License-Identifier: MIT */
/* A factor for each time that a column of the history has stopped improving. */
#include <math.h>

#include "optim/schedule.h"

typedef struct {
    dl_schedule_common common;
    double factor, min_delta, lowest;
    int64_t patience;
} plateau;

static const dl_option options[] = {
    DL_SCHEDULE_OPTIONS(plateau),
    DL_STRING_OPTION(
        "monitor", plateau, common.monitor, "val_loss",
        "the column of history.csv that must improve, as in early_stopping: \"val_loss\", "
        "\"val_accuracy\", \"train_loss\" and so on"),
    DL_FLOAT_OPTION("factor", plateau, factor, "0.1", 0, 1,
                    "what the rate is multiplied by when it does not"),
    DL_INT_OPTION("patience", plateau, patience, "10", 1, 1e9,
                  "epochs without improvement after which to do so; then they are counted anew"),
    DL_FLOAT_OPTION("min_delta", plateau, min_delta, "0.0", 0, 1e9,
                    "a smaller change is no improvement"),
    DL_FLOAT_OPTION("lowest", plateau, lowest, "0.0", 0, 1,
                    "share of the rate below which it never goes"),
    DL_OPTIONS_END,
};

/* What a plateau remembers. */
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
    .kind = {"plateau", "multiplied by a factor when a measured value stops improving",
             sizeof(plateau), options},
    .factor = factor,
    .observe = observe,
};
