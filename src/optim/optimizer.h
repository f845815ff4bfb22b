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

typedef struct {
    dl_kind
        kind; /* its struct begins with a dl_optimizer_common, its options with the macro below */
    /* How many state vectors of `count` floats it keeps; all zero at the beginning. */
    int (*vectors)(const void *self);
    /* Step number t (from 1): moves the weights. */
    void (*step)(const void *self, const dl_objective *objective, float *const *vectors,
                 double rate, int64_t t);
    /* What the ranges of the options do not say: 0, or -1 and errors that begin with `where`
       ("file:line"). NULL if they say it all. */
    int (*check)(const void *self, const char *where, dl_error *error);
    bool whole_set; /* it makes no sense of the gradients of minibatches */
} dl_optimizer_type;

typedef struct {
    double learning_rate;
    struct config_setting_t *schedule; /* of optim/schedule.h's registry, or NULL: constant */
} dl_optimizer_common;

#define DL_OPTIMIZER_OPTIONS(owner, rate)                                                          \
    {"learning_rate",                                                                              \
     DL_FLOAT,                                                                                     \
     offsetof(owner, common.learning_rate),                                                        \
     rate,                                                                                         \
     0,                                                                                            \
     1e30,                                                                                         \
     NULL,                                                                                         \
     "how far a step goes; the first thing to tune, by factors of 3"},                             \
    {                                                                                              \
        "schedule", DL_SETTING, offsetof(owner, common.schedule), "", 0, 0, NULL,                  \
            "how the learning rate changes: { type = \"step\"; every = 10; factor = 0.5; }"        \
    }

extern const dl_registry dl_optimizer_registry;

/* A part of the block that one thread works on, small enough for its cache: `count` weights from
   `first` on, all of one span. */
typedef struct {
    float *weight;
    const float *gradient;
    int64_t first, count;
    float scale, l1, l2;
    bool decays;
} dl_piece;

/* Calls work(context, piece) for all the pieces of the objective, in parallel. */
void dl_objective_each(const dl_objective *objective,
                       void (*work)(const void *context, const dl_piece *piece),
                       const void *context);

/* The gradient of element i with clipping and penalties: scale·g + l2·w + l1·sign(w). */
static inline float dl_piece_gradient(const dl_piece *p, int64_t i) {
    float w = p->weight[i];
    float sign = (float)((w > 0) - (w < 0));
    return p->scale * p->gradient[i] + p->l2 * w + p->l1 * sign;
}

#endif
