/* SPDX-License-Identifier: MIT */
/* Lion: steps of constant size, by the sign of a running mean of the gradients.
     c = b1 m + (1 - b1) g,  w -= rate · (sign(c) + decay · w),  m = b2 m + (1 - b2) g
   Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, algorithm 2. */
#include "optim/optimizer.h"

typedef struct {
    dl_optimizer_common common;
    double beta1, beta2, weight_decay;
} lion;

static const dl_option options[] = {
    DL_OPTIMIZER_OPTIONS(lion, "0.0001"),
    DL_FLOAT_OPTION(
        "beta1", lion, beta1, "0.9", 0, 0.99999,
        "weight of the running mean, against the current gradient, in the direction of a step"),
    DL_FLOAT_OPTION("beta2", lion, beta2, "0.99", 0, 0.99999,
                    "decay rate of the running mean of the gradients"),
    DL_FLOAT_OPTION("weight_decay", lion, weight_decay, "0.0", 0, 1000,
                    "each step subtracts learning_rate * weight_decay * w from each weight w (not "
                    "from biases); use 3 to 10 times the value of adamw, with a learning rate "
                    "smaller by the same factor"),
    DL_OPTIONS_END,
};

static int vectors(const void *self) {
    (void)self;
    return 1;
}

typedef struct {
    float rate, keep; /* 1 - rate · decay */
    float beta1, beta2, rest1, rest2;
    float *mean; /* [count] */
} update;

static void move(const void *context, const dl_chunk *p) {
    const update *u = context;
    float *restrict m = u->mean + p->first;
    float *restrict w = p->weight;
    float keep = p->decays ? u->keep : 1;
#pragma omp simd
    for (int64_t i = 0; i < p->count; i++) {
        float g = dl_chunk_gradient(p, i), c = u->beta1 * m[i] + u->rest1 * g;
        float sign = c == c ? (float)((c > 0) - (c < 0)) : c; /* NaN stays NaN */
        m[i] = u->beta2 * m[i] + u->rest2 * g;
        w[i] = keep * w[i] - u->rate * sign;
    }
}

static void step(const void *self, const dl_objective *objective, float *const *vectors_of,
                 double rate, int64_t t) {
    const lion *l = self;
    (void)t;
    update u = {.rate = (float)rate,
                .keep = (float)(1 - rate * l->weight_decay),
                .beta1 = (float)l->beta1,
                .beta2 = (float)l->beta2,
                .rest1 = (float)(1 - l->beta1),
                .rest2 = (float)(1 - l->beta2),
                .mean = vectors_of[0]};
    dl_objective_each(objective, move, &u);
}

const dl_optimizer_type dl_optimizer_lion = {
    .kind = {"lion",
             "Lion: steps of constant size by the sign of a running mean of the gradients; needs "
             "half the memory of adam",
             sizeof(lion), options},
    .first_order = &(const dl_first_order_method){.vectors = vectors, .step = step},
};
