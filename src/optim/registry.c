/* SPDX-License-Identifier: MIT */
/* The optimizers and schedules. To add one: its file, and one line here. */
#include "optim/optimizer.h"
#include "optim/schedule.h"

#define OPTIMIZERS(_)                                                                              \
    _(sgd)                                                                                         \
    _(adagrad)                                                                                     \
    _(rmsprop)                                                                                     \
    _(adadelta)                                                                                    \
    _(adam)                                                                                        \
    _(adamw)                                                                                       \
    _(nadam)                                                                                       \
    _(rprop)                                                                                       \
    _(lion)                                                                                        \
    _(newton)                                                                                      \
    _(bfgs)                                                                                        \
    _(lbfgs)                                                                                       \
    _(gauss_newton)                                                                                \
    _(levenberg)                                                                                   \
    _(levenberg_marquardt)                                                                         \
    _(normal_equations)

#define DECLARE_OPTIMIZER(name) extern const dl_optimizer_type dl_optimizer_##name;
#define KIND_OF_OPTIMIZER(name) &dl_optimizer_##name.kind,
OPTIMIZERS(DECLARE_OPTIMIZER)
static const dl_kind *const optimizers[] = {OPTIMIZERS(KIND_OF_OPTIMIZER)};
const dl_registry dl_optimizer_registry = {"optimizer", "optimizers", "type",
                                           sizeof optimizers / sizeof *optimizers, optimizers};

#define SCHEDULES(_)                                                                               \
    _(constant)                                                                                    \
    _(step)                                                                                        \
    _(piecewise)                                                                                   \
    _(inverse_time)                                                                                \
    _(exponential)                                                                                 \
    _(sqrt)                                                                                        \
    _(plateau)                                                                                     \
    _(cosine)                                                                                      \
    _(one_cycle)                                                                                   \
    _(polynomial)

#define DECLARE_SCHEDULE(name) extern const dl_schedule_type dl_schedule_##name;
#define KIND_OF_SCHEDULE(name) &dl_schedule_##name.kind,
SCHEDULES(DECLARE_SCHEDULE)
static const dl_kind *const schedules[] = {SCHEDULES(KIND_OF_SCHEDULE)};
const dl_registry dl_schedule_registry = {"schedule", "schedules", "type",
                                          sizeof schedules / sizeof *schedules, schedules};
