/* SPDX-License-Identifier: MIT */
/* The contract of an optimizer: one file in this folder, one line in registry.c. */
#ifndef DL_OPTIM_OPTIMIZER_H
#define DL_OPTIM_OPTIMIZER_H

#include "base/error.h"
#include "config/option.h"

/* Neighbouring parameters that are treated alike. */
typedef struct {
    int64_t first, count; /* within the flat block */
    float l1, l2;         /* penalties l1·|w| + l2/2·w^2 */
    bool decays;          /* weights, not biases: a decay of the optimizer's own is for these */
} dl_span;

/* What is minimized, as a first-order method sees it: the flat blocks, and what the trainer wants
   done to the gradient on its way. */
typedef struct {
    int64_t count;         /* of parameters */
    float *weight;         /* [count] */
    const float *gradient; /* [count], of the plain loss */
    float scale;           /* the gradient is multiplied by it (clipping) */
    const dl_span *spans;  /* together they are the whole block */
    int span_count;
} dl_objective;

/* What is minimized, as a method of the whole training set sees it: f(theta), in double, its
   penalties included. The same theta always gives the same bits. */
typedef struct dl_function dl_function;
/* Rows of the Jacobian, jacobian[rows][count], and their residuals[rows]. */
typedef void (*dl_row_callback)(void *context, int64_t rows, const double *jacobian,
                                const double *residual);
struct dl_function {
    int64_t count;    /* of parameters, those that are trained */
    double precision; /* the relative error that f is computed with, as of its gradient */
    /* f(theta[count]), and unless it is NULL gradient[count]. Not finite: theta is no good place,
       or the data could not be read, of which the trainer knows. */
    double (*evaluate)(dl_function *, const double *theta, double *gradient);
    /* f = |r|^2 / 2 as a sum of squares: hands on every row of J = dr/dtheta once, with its
       residual, in blocks of at most `most_rows`, so that the gradient of f is J'r. Returns f as
       `evaluate`. NULL: f is no such sum. */
    double (*squares)(dl_function *, const double *theta, dl_row_callback take, void *context);
    int64_t most_rows;
};

/* How an optimizer of the whole set goes on: one call is one iteration, an epoch of the history. */
typedef struct {
    double *state; /* [state_count]: theta[count], then its own; zero at the beginning; saved */
    double *work;  /* [work_count]: holds nothing from one call to the next */
    int64_t t;     /* from 1 */
} dl_iteration;

/* A first-order method: steps by the gradients of minibatches. Its struct begins with a
   dl_optimizer_common, its options with DL_OPTIMIZER_OPTIONS. */
typedef struct {
    /* How many state vectors of `count` floats it keeps; all zero at the beginning. */
    int (*vectors)(const void *self);
    /* Step number t (from 1): moves the weights. */
    void (*step)(const void *self, const dl_objective *objective, float *const *vectors,
                 double rate, int64_t t);
    bool needs_full_batch; /* the gradients of minibatches are of no use to it */
} dl_first_order_method;

/* A method that evaluates f over the whole training part wherever it likes, whatever batch_size is.
   Its struct begins with a dl_minimizer_common. */
typedef struct {
    /* One iteration; returns the share of the direction that was gone, 0 if theta has stayed. */
    double (*minimize)(const void *self, dl_function *f, const dl_iteration *iteration);
    /* How many doubles it needs, for n parameters. */
    int64_t (*state_count)(const void *self, int64_t n);
    int64_t (*work_count)(const void *self, const dl_function *f);
    /* Before the first iteration: can it minimize this f? 0, and maybe a note for people; or -1 and
       an error that begins with `where`. NULL: it can. */
    int (*begin)(const void *self, dl_function *f, const dl_iteration *iteration, const char *where,
                 dl_text *note, dl_error *error);
    bool needs_squares; /* it asks for f->squares */
} dl_full_batch_method;

typedef struct {
    dl_kind kind;
    /* What the ranges of the options do not say: 0, or -1 and errors that begin with `where`
       ("file:line"). NULL if they say it all. */
    int (*check)(const void *self, const char *where, dl_error *error);
    /* One of the two; the other is NULL. */
    const dl_first_order_method *first_order;
    const dl_full_batch_method *full_batch;
} dl_optimizer_type;

typedef struct {
    double learning_rate;
    struct config_setting_t *schedule; /* of optim/schedule.h's registry, or NULL: constant */
} dl_optimizer_common;

/* What the struct of a full-batch one begins with; it has no learning rate and no schedule. */
typedef struct {
    dl_optimizer_common common;
    int64_t most_parameters; /* it refuses more; 0: it keeps no matrices, any number will do */
} dl_minimizer_common;

#define DL_MOST_PARAMETERS_OPTION(owner)                                                           \
    DL_INT_OPTION(                                                                                 \
        "most_parameters", owner, common.most_parameters, "2000", 1, 40000,                        \
        "refuse networks with more: memory grows by their square (2000: about 100 MB), time "      \
        "by their cube")

#define DL_OPTIMIZER_OPTIONS(owner, rate)                                                          \
    DL_FLOAT_OPTION("learning_rate", owner, common.learning_rate, rate, 0, 1e30,                   \
                    "how far a step goes; the first thing to tune, by factors of 3"),              \
        DL_SETTING_OPTION(                                                                         \
            "schedule", owner, common.schedule, DL_NO_DEFAULT,                                     \
            "how the learning rate changes: { type = \"step\"; every = 10; factor = 0.5; }")

extern const dl_registry dl_optimizer_registry;

/* A part of the block that one thread works on, small enough for its cache: `count` weights from
   `first` on, all of one span. */
typedef struct {
    float *weight;
    const float *gradient;
    int64_t first, count;
    float scale, l1, l2;
    bool decays;
} dl_chunk;

/* Calls work(context, piece) for all the pieces of the objective, in parallel. */
void dl_objective_each(const dl_objective *objective,
                       void (*work)(const void *context, const dl_chunk *piece),
                       const void *context);

/* The gradient of element i with clipping and penalties: scale·g + l2·w + l1·sign(w). */
static inline float dl_chunk_gradient(const dl_chunk *p, int64_t i) {
    float w = p->weight[i];
    float sign = (float)((w > 0) - (w < 0));
    return p->scale * p->gradient[i] + p->l2 * w + p->l1 * sign;
}

#endif
