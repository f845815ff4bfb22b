/* SPDX-License-Identifier: MIT */
#include "optim/schedule.h"

#include <math.h>

const char *const dl_schedule_units[] = {"epoch", "step", NULL};

/* From a to b along half a cosine, `part` from 0 to 1. */
static double along_cosine(double a, double b, double part) {
    return b + (a - b) * 0.5 * (1 + cos(3.14159265358979323846 * part));
}

/* ---- one number: constant, inverse_time, exponential, sqrt ---- */

typedef struct {
    dl_schedule_common common;
    double number;
} simple;

static const dl_option constant_options[] = {DL_SCHEDULE_OPTIONS(simple), DL_OPTIONS_END};

static double constant_factor(const void *self, const dl_schedule_time *time, const double *state) {
    (void)self, (void)time, (void)state;
    return 1;
}

static const dl_option inverse_options[] = {
    DL_SCHEDULE_OPTIONS(simple),
    DL_FLOAT_OPTION("decay", simple, number, "0.1", 0, 1e6,
                    "after n epochs or steps the rate is divided by 1 + decay * n"),
    DL_OPTIONS_END,
};

static double inverse_factor(const void *self, const dl_schedule_time *time, const double *state) {
    (void)state;
    return 1 / (1 + ((const simple *)self)->number * floor(time->now));
}

static const dl_option exponential_options[] = {
    DL_SCHEDULE_OPTIONS(simple),
    DL_FLOAT_OPTION("factor", simple, number, "0.95", 0, 1,
                    "after n epochs or steps the rate is multiplied by factor^n"),
    DL_OPTIONS_END,
};

static double exponential_factor(const void *self, const dl_schedule_time *time,
                                 const double *state) {
    (void)state;
    return pow(((const simple *)self)->number, floor(time->now));
}

static const dl_option sqrt_options[] = {
    DL_SCHEDULE_OPTIONS(simple),
    DL_FLOAT_OPTION(
        "scale", simple, number, "1.0", 0, 1e6,
        "in epoch or step n, counted from 1, the rate is multiplied by scale / sqrt(n)"),
    DL_OPTIONS_END,
};

static double sqrt_factor(const void *self, const dl_schedule_time *time, const double *state) {
    (void)state;
    return ((const simple *)self)->number / sqrt(1 + floor(time->now));
}

/* ---- step ---- */

typedef struct {
    dl_schedule_common common;
    double every, factor;
} step;

static const dl_option step_options[] = {
    DL_SCHEDULE_OPTIONS(step),
    DL_FLOAT_OPTION("every", step, every, "10", 1e-6, 1e9, "epochs or steps between two cuts"),
    DL_FLOAT_OPTION("factor", step, factor, "0.1", 0, 1,
                    "what each cut multiplies the rate by: a cut by the share t is 1 - t"),
    DL_OPTIONS_END,
};

static double step_factor(const void *self, const dl_schedule_time *time, const double *state) {
    const step *s = self;
    (void)state;
    return pow(s->factor, floor(time->now / s->every));
}

/* ---- piecewise ---- */

typedef struct {
    dl_schedule_common common;
    dl_numbers at, factors;
} piecewise;

static const dl_option piecewise_options[] = {
    DL_SCHEDULE_OPTIONS(piecewise),
    DL_NUMBERS_OPTION("at", piecewise, at, DL_REQUIRED, 0, 1e9,
                      "epochs or steps after which the rate changes, each more than the one "
                      "before: at = (30, 60)"),
    DL_NUMBERS_OPTION("factors", piecewise, factors, DL_REQUIRED, 0, 1e6,
                      "what learning_rate is multiplied by from then on, a number for each of "
                      "`at`: factors = (0.1, "
                      "0.01)"),
    DL_OPTIONS_END,
};

static double piecewise_factor(const void *self, const dl_schedule_time *time,
                               const double *state) {
    const piecewise *p = self;
    double factor = 1;
    (void)state;
    for (int i = 0; i < p->at.count && p->at.items[i] <= time->now; i++)
        factor = p->factors.items[i];
    return factor;
}

static int piecewise_check(const void *self, const char *where, dl_error *error) {
    const piecewise *p = self;
    if (p->at.count != p->factors.count)
        return dl_fail(error, DL_USAGE,
                       "%s: \"at\" has %d numbers and \"factors\" has %d: each time needs a factor",
                       where, p->at.count, p->factors.count);
    for (int i = 1; i < p->at.count; i++)
        if (p->at.items[i] <= p->at.items[i - 1])
            return dl_fail(error, DL_USAGE, "%s: \"at\" must grow, but %.15g comes after %.15g",
                           where, p->at.items[i], p->at.items[i - 1]);
    return 0;
}

/* ---- cosine ---- */

/* Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, without
   the restarts. */
typedef struct {
    dl_schedule_common common;
    double end;
} cosine;

static const dl_option cosine_options[] = {
    DL_SCHEDULE_OPTIONS(cosine),
    DL_FLOAT_OPTION(
        "end", cosine, end, "0.0", 0, 1,
        "share of the rate that is left after the last epoch; it falls a little in every step"),
    DL_OPTIONS_END,
};

static double cosine_factor(const void *self, const dl_schedule_time *time, const double *state) {
    double part = time->total > 0 ? time->now / time->total : 0;
    (void)state;
    return along_cosine(1, ((const cosine *)self)->end, part > 1 ? 1 : part);
}

/* ---- one_cycle ---- */

/* Smith and Topin, "Super-convergence: very fast training of neural networks using large learning
   rates", 2018 (arXiv:1708.07120), in two phases along cosines as in PyTorch; the momentum stays as
   it is. */
typedef struct {
    dl_schedule_common common;
    double rise, start, end;
} one_cycle;

static const dl_option one_cycle_options[] = {
    DL_SCHEDULE_OPTIONS(one_cycle),
    DL_FLOAT_OPTION(
        "rise", one_cycle, rise, "0.3", 0, 1,
        "share of the training in which the rate grows to learning_rate; then it falls"),
    DL_FLOAT_OPTION("start", one_cycle, start, "0.04", 0, 1,
                    "share of the rate that the first step has"),
    DL_FLOAT_OPTION("end", one_cycle, end, "4e-6", 0, 1,
                    "share of the rate that the last step has"),
    DL_OPTIONS_END,
};

static double one_cycle_factor(const void *self, const dl_schedule_time *time,
                               const double *state) {
    const one_cycle *c = self;
    double peak = c->rise * time->total - time->tick, last = time->total - time->tick;
    (void)state;
    if (time->now < peak)
        return along_cosine(c->start, 1, time->now / peak);
    peak = peak < 0 ? 0 : peak;
    double part = last > peak ? (time->now - peak) / (last - peak) : 0;
    return along_cosine(1, c->end, part > 1 ? 1 : part);
}

/* ---- plateau ---- */

typedef struct {
    dl_schedule_common common;
    double factor, min_delta, lowest;
    int64_t patience;
} plateau;

static const dl_option plateau_options[] = {
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

static double plateau_factor(const void *self, const dl_schedule_time *time, const double *state) {
    const plateau *p = self;
    (void)time;
    return fmax(pow(p->factor, state[CUTS]), p->lowest);
}

/* NaN is never an improvement. */
static void plateau_observe(const void *self, double value, bool higher, double *state) {
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

/* ---- all of them ---- */

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

static const dl_schedule_type schedules[] = {
    {.kind = {"constant", "the same rate throughout", sizeof(simple), constant_options},
     .factor = constant_factor},
    {.kind = {"step", "multiplied by a factor every so many epochs or steps", sizeof(step),
              step_options},
     .factor = step_factor},
    {.kind = {"piecewise", "factors from given epochs or steps on, written by hand",
              sizeof(piecewise), piecewise_options},
     .factor = piecewise_factor,
     .check = piecewise_check},
    {.kind = {"inverse_time", "divided by 1 + decay * epochs", sizeof(simple), inverse_options},
     .factor = inverse_factor},
    {.kind = {"exponential", "multiplied by a factor in every epoch or step", sizeof(simple),
              exponential_options},
     .factor = exponential_factor},
    {.kind = {"sqrt", "divided by the root of the epoch's or step's number", sizeof(simple),
              sqrt_options},
     .factor = sqrt_factor},
    {.kind = {"plateau", "multiplied by a factor when a measured value stops improving",
              sizeof(plateau), plateau_options},
     .factor = plateau_factor,
     .observe = plateau_observe},
    {.kind = {"cosine", "down along half a cosine, from the rate to its end", sizeof(cosine),
              cosine_options},
     .factor = cosine_factor},
    {.kind = {"one_cycle", "up to a large rate and down to nearly nothing, along cosines",
              sizeof(one_cycle), one_cycle_options},
     .factor = one_cycle_factor},
};

static const dl_kind *const kinds[] = {
    &schedules[0].kind, &schedules[1].kind, &schedules[2].kind,
    &schedules[3].kind, &schedules[4].kind, &schedules[5].kind,
    &schedules[6].kind, &schedules[7].kind, &schedules[8].kind,
};

const dl_registry dl_schedule_registry = {"schedule", "schedules", "type",
                                          sizeof kinds / sizeof *kinds, kinds};
