#include "optim/schedule.h"

#include <math.h>

typedef struct {
    char unused;
} constant;

static const dl_option constant_options[] = {DL_OPTIONS_END};

static double constant_factor(const void *self, double epoch, double epochs) {
    (void)self, (void)epoch, (void)epochs;
    return 1;
}

typedef struct {
    double every, factor;
} step;

static const dl_option step_options[] = {
    {"every", DL_FLOAT, offsetof(step, every), "10", 1e-6, 1e8, NULL, "epochs between two cuts"},
    {"factor", DL_FLOAT, offsetof(step, factor), "0.1", 0, 1, NULL,
     "what each cut multiplies the rate by"},
    DL_OPTIONS_END,
};

static double step_factor(const void *self, double epoch, double epochs) {
    const step *s = self;
    (void)epochs;
    return pow(s->factor, floor(epoch / s->every));
}

/* Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, without
   the restarts. */
typedef struct {
    double end;
} cosine;

static const dl_option cosine_options[] = {
    {"end", DL_FLOAT, offsetof(cosine, end), "0.0", 0, 1, NULL,
     "share of the rate that is left after the last epoch"},
    DL_OPTIONS_END,
};

static double cosine_factor(const void *self, double epoch, double epochs) {
    double end = ((const cosine *)self)->end, part = epochs > 0 ? epoch / epochs : 0;
    part = part > 1 ? 1 : part;
    return end + (1 - end) * 0.5 * (1 + cos(3.14159265358979323846 * part));
}

static const dl_schedule_type schedules[] = {
    {{"constant", "the same rate throughout", sizeof(constant), constant_options}, constant_factor},
    {{"step", "multiplied by a factor every so many epochs", sizeof(step), step_options},
     step_factor},
    {{"cosine", "down along half a cosine, from the rate to its end", sizeof(cosine),
      cosine_options},
     cosine_factor},
};

static const dl_kind *const kinds[] = {&schedules[0].kind, &schedules[1].kind, &schedules[2].kind};

const dl_registry dl_schedule_registry = {"schedule", "schedules", "type",
                                          sizeof kinds / sizeof *kinds, kinds};
