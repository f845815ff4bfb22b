/* SPDX-License-Identifier: MIT */
/* The contract of a schedule of the learning rate: one file, schedule_NAME.c, one line in
 * registry.c.
 */
#ifndef DL_OPTIM_SCHEDULE_H
#define DL_OPTIM_SCHEDULE_H

#include <math.h>

#include "base/error.h"
#include "config/option.h"

/* What a schedule's struct begins with. */
typedef struct {
    int by; /* dl_schedule_units: 0: epochs, 1: steps */
    double warmup;
    const char *monitor; /* of one with `observe`: the history column that it watches */
} dl_schedule_common;

extern const char *const dl_schedule_units[];

#define DL_SCHEDULE_OPTIONS(owner)                                                                 \
    DL_CHOICE_OPTION(                                                                              \
        "by", owner, common.by, "epoch", dl_schedule_units,                                        \
        "what the numbers of the schedule and `warmup` count: epochs, or steps (batches)"),        \
        DL_FLOAT_OPTION(                                                                           \
            "warmup", owner, common.warmup, "0.0", 0, 1e9,                                         \
            "epochs or steps in which the rate first grows from near zero to where the schedule "  \
            "begins, whose own counting starts behind them; helps large rates and batches; 0: "    \
            "none")

/* Where a training is. */
typedef struct {
    int64_t epoch;      /* epochs that are complete */
    int64_t epoch_step; /* steps done of the next one */
    int64_t step;       /* steps done in all */
    int64_t steps;      /* of an epoch */
    int64_t epochs;     /* of the training */
} dl_schedule_clock;

/* The same as a schedule sees it, in epochs (with fractions) or in steps, behind its warm-up. */
typedef struct {
    double now, total;
    double tick; /* how long a step is */
} dl_schedule_time;

enum { DL_SCHEDULE_STATE = 4 }; /* numbers that one with `observe` remembers */

typedef struct {
    dl_kind
        kind; /* its struct begins with a dl_schedule_common, its options with the macro above */
    /* What the learning rate is multiplied by. state[DL_SCHEDULE_STATE]: all zero at the beginning;
       looked at by those with `observe` only. */
    double (*factor)(const void *self, const dl_schedule_time *time, const double *state);
    /* After an epoch in which the watched column had this value (maybe NaN); more is better if
       `higher`. NULL: it watches nothing. */
    void (*observe)(const void *self, double value, bool higher, double *state);
    /* What the ranges of the options do not say: 0, or -1 and an error that begins with `where`
       ("file:line"). NULL if they say it all. */
    int (*check)(const void *self, const char *where, dl_error *error);
} dl_schedule_type;

extern const dl_registry dl_schedule_registry;

/* From a to b along half a cosine, `part` from 0 to 1. */
static inline double dl_schedule_along_cosine(double a, double b, double part) {
    return b + (a - b) * 0.5 * (1 + cos(3.14159265358979323846 * part));
}

/* What the learning rate is multiplied by in the step that comes, with the warm-up. */
double dl_schedule_factor(const dl_schedule_type *type, const void *self,
                          const dl_schedule_clock *clock, const double *state);
/* At the end of an epoch, `clock` being after it: lets a schedule that watches a column see its
   value. */
void dl_schedule_observe(const dl_schedule_type *type, const void *self,
                         const dl_schedule_clock *clock, double value, bool higher, double *state);

#endif
