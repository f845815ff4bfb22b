/* SPDX-License-Identifier: MIT */
/* Adam. Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1:
     m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
     w -= rate · (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon);
   without bias correction, w -= rate · m / (sqrt(v) + epsilon).
   AdamW: first w -= rate · decay · w, so that the decay is not part of g, and not scaled with it.
   Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019. */
#include <math.h>

#include "optim/optimizer.h"

typedef struct {
    dl_optimizer_common common;
    double beta1, beta2, epsilon;
    bool bias_correction;
    double weight_decay; /* adamw only */
} adam;

#define ADAM_OPTIONS                                                                               \
    DL_OPTIMIZER_OPTIONS(adam, "0.001"),                                                           \
        DL_FLOAT_OPTION("beta1", adam, beta1, "0.9", 0, 0.99999,                                   \
                        "decay rate of the running mean of the gradients"),                        \
        DL_FLOAT_OPTION("beta2", adam, beta2, "0.999", 0, 0.9999999,                               \
                        "decay rate of the running mean of the squared gradients"),                \
        DL_FLOAT_OPTION("epsilon", adam, epsilon, "1e-8", 1e-30, 1,                                \
                        "added to the denominator to avoid division by zero"),                     \
        DL_BOOL_OPTION("bias_correction", adam, bias_correction, "true",                           \
                       "correct the means for starting at zero; false: the first steps are (1 - "  \
                       "beta1) / sqrt(1 - beta2) times as long, 3.2 times by default")

static const dl_option adam_options[] = {ADAM_OPTIONS, DL_OPTIONS_END};

static const dl_option adamw_options[] = {
    ADAM_OPTIONS,
    DL_FLOAT_OPTION(
        "weight_decay", adam, weight_decay, "0.01", 0, 1000,
        "each step subtracts learning_rate * weight_decay * w from each weight w (not from "
        "biases); use it instead of regularization.l2, which would be scaled with the gradient"),
    DL_OPTIONS_END,
};

static int vectors(const void *self) {
    (void)self;
    return 2;
}

typedef struct {
    float rate; /* rate / (1 - b1^t) */
    float root; /* 1 / sqrt(1 - b2^t) */
    float beta1, beta2, epsilon;
    float rest1, rest2;   /* 1 - beta in double: 1 - 0.999f has a relative error of 1e-5 */
    float keep;           /* 1 - rate · decay */
    float *mean, *square; /* [count] */
} update;

static void move(const void *context, const dl_chunk *p) {
    const update *u = context;
    float *restrict m = u->mean + p->first, *restrict v = u->square + p->first;
    float *restrict w = p->weight;
    float keep = p->decays ? u->keep : 1;
#pragma omp simd
    for (int64_t i = 0; i < p->count; i++) {
        float g = dl_chunk_gradient(p, i);
        m[i] = u->beta1 * m[i] + u->rest1 * g;
        v[i] = u->beta2 * v[i] + u->rest2 * g * g;
        w[i] = keep * w[i] - u->rate * m[i] / (sqrtf(v[i]) * u->root + u->epsilon);
    }
}

static void step(const void *self, const dl_objective *objective, float *const *vectors_of,
                 double rate, int64_t t) {
    const adam *a = self;
    bool correct = a->bias_correction;
    update u = {(float)(correct ? rate / (1 - pow(a->beta1, (double)t)) : rate),
                (float)(correct ? 1 / sqrt(1 - pow(a->beta2, (double)t)) : 1),
                (float)a->beta1,
                (float)a->beta2,
                (float)a->epsilon,
                (float)(1 - a->beta1),
                (float)(1 - a->beta2),
                (float)(1 - rate * a->weight_decay),
                vectors_of[0],
                vectors_of[1]};
    dl_objective_each(objective, move, &u);
}

const dl_optimizer_type dl_optimizer_adam = {
    .kind = {"adam",
             "Adam: adapts the step of each weight from running means of the gradient and its "
             "square; works well with little tuning",
             sizeof(adam), adam_options},
    .first_order = &(const dl_first_order_method){.vectors = vectors, .step = step},
};
const dl_optimizer_type dl_optimizer_adamw = {
    .kind = {"adamw",
             "AdamW: Adam with decoupled weight decay, which is not scaled with the gradient; the "
             "usual choice for transformers",
             sizeof(adam), adamw_options},
    .first_order = &(const dl_first_order_method){.vectors = vectors, .step = step},
};
