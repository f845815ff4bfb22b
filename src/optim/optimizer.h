/* SPDX-License-Identifier: MIT */
/* The contract of an optimizer: one file in this folder, one line in registry.c. */
#ifndef DL_OPTIM_OPTIMIZER_H
#define DL_OPTIM_OPTIMIZER_H

#include "base/error.h"
#include "config/option.h"

/* Adjacent parameters with the same penalties. */
typedef struct {
    int64_t first, count; /* within the flat block */
    float l1, l2;         /* penalties l1·|w| + l2/2·w^2 */
    bool decays;          /* weights, not biases: the optimizer's weight decay applies */
} dl_span;

/* The objective of a first-order method: the flat blocks, clipping and penalties. */
typedef struct {
    int64_t count;         /* of parameters */
    float *weight;         /* [count] */
    const float *gradient; /* [count], of the loss without penalties */
    float scale;           /* the gradient is multiplied by it (clipping) */
    const dl_span *spans;  /* cover the whole block */
    int span_count;
} dl_objective;

/* The objective of a full-batch method: f(theta), in double, with penalties. The same theta always
   gives the same bits. */
typedef struct dl_function dl_function;
/* Rows of the Jacobian, jacobian[rows][count], and their residuals[rows]. */
typedef void (*dl_row_callback)(void *context, int64_t rows, const double *jacobian,
                                const double *residual);
struct dl_function {
    int64_t count;    /* of trained parameters */
    double precision; /* relative error of f and of its gradient */
    /* f(theta[count]) and, unless it is NULL, gradient[count]. Not finite if f is, or if the data
       could not be read, which the trainer reports. */
    double (*evaluate)(dl_function *, const double *theta, double *gradient);
    /* For f = |r|^2 / 2: calls `take` for all rows of J = dr/dtheta and their residuals, in blocks
       of at most `most_rows`; the gradient of f is J'r. Returns f like `evaluate`. NULL: f is not a
       sum of squares. */
    double (*squares)(dl_function *, const double *theta, dl_row_callback take, void *context);
    int64_t most_rows;
};

/* The iteration of a full-batch method, which is an epoch of the history. */
typedef struct {
    double *state; /* [state_count]: theta[count], then private; initially zero; checkpointed */
    double *work;  /* [work_count]: scratch */
    int64_t t;     /* from 1 */
} dl_iteration;

/* A first-order method, with gradients of minibatches. Its struct begins with a
   dl_optimizer_common, its options with DL_OPTIMIZER_OPTIONS. */
typedef struct {
    /* Number of state vectors of `count` floats, initially zero. */
    int (*vectors)(const void *self);
    /* Step t (from 1): updates the weights. */
    void (*step)(const void *self, const dl_objective *objective, float *const *vectors,
                 double rate, int64_t t);
    bool needs_full_batch; /* does not work with minibatches */
} dl_first_order_method;

/* A method that evaluates f over the whole training part, whatever batch_size is. Its struct begins
   with a dl_minimizer_common. */
typedef struct {
    /* One iteration; returns the step length along the direction, 0 if theta is unchanged. */
    double (*minimize)(const void *self, dl_function *f, const dl_iteration *iteration);
    /* Number of doubles, for n parameters. */
    int64_t (*state_count)(const void *self, int64_t n);
    int64_t (*work_count)(const void *self, const dl_function *f);
    /* Before the first iteration: 0, perhaps with a note for the log, or -1 and an error that
       begins with `where` if it cannot minimize f. May be NULL. */
    int (*begin)(const void *self, dl_function *f, const dl_iteration *iteration, const char *where,
                 dl_text *note, dl_error *error);
    bool needs_squares; /* needs f->squares */
} dl_full_batch_method;

typedef struct {
    dl_kind kind;
    /* Checks beyond the ranges of the options: 0, or -1 and errors that begin with `where`
       ("file:line"). May be NULL. */
    int (*check)(const void *self, const char *where, dl_error *error);
    /* One of the two is NULL. */
    const dl_first_order_method *first_order;
    const dl_full_batch_method *full_batch;
} dl_optimizer_type;

typedef struct {
    double learning_rate;
    struct config_setting_t *schedule; /* a schedule, or NULL: constant */
} dl_optimizer_common;

/* For full-batch methods, without learning rate and schedule. */
typedef struct {
    dl_optimizer_common common;
    int64_t most_parameters; /* limit of the number of parameters; 0: none */
} dl_minimizer_common;

#define DL_MOST_PARAMETERS_OPTION(owner)                                                           \
    DL_INT_OPTION(                                                                                 \
        "most_parameters", owner, common.most_parameters, "2000", 1, 40000,                        \
        "largest number of parameters; memory grows with its square (2000: about 100 MB), time "   \
        "with its cube")

#define DL_OPTIMIZER_OPTIONS(owner, rate)                                                          \
    DL_FLOAT_OPTION("learning_rate", owner, common.learning_rate, rate, 0, 1e30,                   \
                    "step size; the first hyperparameter to tune, by factors of 3"),               \
        DL_SETTING_OPTION("schedule", owner, common.schedule, DL_NO_DEFAULT,                       \
                          "how the learning rate changes during training: { type = \"step\"; "     \
                          "every = 10; factor = 0.5; }; default: constant")

extern const dl_registry dl_optimizer_registry;

/* Weights [first, first + count) of one span, for one thread; small enough for its cache. */
typedef struct {
    float *weight;
    const float *gradient;
    int64_t first, count;
    float scale, l1, l2;
    bool decays;
} dl_chunk;

/* Calls work(context, chunk) for all chunks of the objective, in parallel. */
void dl_objective_each(const dl_objective *objective,
                       void (*work)(const void *context, const dl_chunk *chunk),
                       const void *context);

/* The gradient of element i with clipping and penalties: scale·g + l2·w + l1·sign(w). */
static inline float dl_chunk_gradient(const dl_chunk *p, int64_t i) {
    float w = p->weight[i];
    float sign = (float)((w > 0) - (w < 0));
    return p->scale * p->gradient[i] + p->l2 * w + p->l1 * sign;
}

#endif
