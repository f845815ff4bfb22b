/* SPDX-License-Identifier: MIT */
/* The contract of a learning rate schedule: one file schedule_NAME.c, one line in registry.c. */
#ifndef DL_OPTIM_SCHEDULE_H
#define DL_OPTIM_SCHEDULE_H

#include <math.h>

#include "base/error.h"
#include "config/option.h"

/* The first member of a schedule's struct. */
typedef struct {
    int by; /* dl_schedule_units: 0: epochs, 1: steps */
    double warmup;
    const char *monitor; /* with `observe`: the history column that it monitors */
} dl_schedule_common;

extern const char *const dl_schedule_units[];

#define DL_SCHEDULE_OPTIONS(owner)                                                                 \
    DL_CHOICE_OPTION(                                                                              \
        "by", owner, common.by, "epoch", dl_schedule_units,                                        \
        "unit of the numbers of the schedule and of `warmup`: epochs, or steps (batches)"),        \
        DL_FLOAT_OPTION(                                                                           \
            "warmup", owner, common.warmup, "0.0", 0, 1e9,                                         \
            "epochs or steps of linear warm-up: the rate first grows from near zero to the start " \
            "of the schedule, which counts from the end of the warm-up; helps with large rates "   \
            "and batches")

/* Progress of a training. */
typedef struct {
    int64_t epoch;      /* epochs that are complete */
    int64_t epoch_step; /* steps done of the next one */
    int64_t step;       /* steps done in all */
    int64_t steps;      /* of an epoch */
    int64_t epochs;     /* of the training */
} dl_schedule_clock;

/* Time since the end of the warm-up, in epochs (with fractions) or steps. */
typedef struct {
    double now, total;
    double tick; /* duration of a step */
} dl_schedule_time;

enum { DL_SCHEDULE_STATE = 4 }; /* state values of one with `observe` */

typedef struct {
    dl_kind kind; /* options begin with DL_SCHEDULE_OPTIONS */
    /* Factor of the learning rate. state[DL_SCHEDULE_STATE]: initially zero, for `observe`. */
    double (*factor)(const void *self, const dl_schedule_time *time, const double *state);
    /* Called after each epoch with the value of the monitored column (or NaN); `higher`: higher is
       better. NULL: monitors nothing. */
    void (*observe)(const void *self, double value, bool higher, double *state);
    /* Checks beyond the ranges of the options: 0, or -1 and an error that begins with `where`
       ("file:line"). May be NULL. */
    int (*check)(const void *self, const char *where, dl_error *error);
} dl_schedule_type;

extern const dl_registry dl_schedule_registry;

/* From a to b along half a cosine, `part` from 0 to 1. */
static inline double dl_schedule_along_cosine(double a, double b, double part) {
    return b + (a - b) * 0.5 * (1 + cos(3.14159265358979323846 * part));
}

/* Factor of the learning rate in the next step, with warm-up. */
double dl_schedule_factor(const dl_schedule_type *type, const void *self,
                          const dl_schedule_clock *clock, const double *state);
/* After an epoch: passes the value of the monitored column to `observe`. */
void dl_schedule_observe(const dl_schedule_type *type, const void *self,
                         const dl_schedule_clock *clock, double value, bool higher, double *state);

#endif
