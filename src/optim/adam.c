/* SPDX-License-Identifier: MIT */
/* Adam. Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1:
     m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
     w -= rate · (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon);
   without the correction of the bias, w -= rate · m / (sqrt(v) + epsilon).
   AdamW: before that, w -= rate · decay · w, where the decay is not in g and so is not scaled as
   the gradient is. Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019. */
#include <math.h>

#include "optim/optimizer.h"

typedef struct {
    dl_optimizer_common common;
    double beta1, beta2, epsilon;
    bool bias_correction;
    double weight_decay; /* of adamw; of adam it stays 0 */
} adam;

#define ADAM_OPTIONS                                                                               \
    DL_OPTIMIZER_OPTIONS(adam, "0.001"),                                                           \
        DL_FLOAT_OPTION("beta1", adam, beta1, "0.9", 0, 0.99999,                                   \
                        "memory of the mean of the gradients"),                                    \
        DL_FLOAT_OPTION("beta2", adam, beta2, "0.999", 0, 0.9999999,                               \
                        "memory of the mean of their squares"),                                    \
        DL_FLOAT_OPTION("epsilon", adam, epsilon, "1e-8", 1e-30, 1,                                \
                        "keeps the division finite where gradients vanish"),                       \
        DL_BOOL_OPTION(                                                                            \
            "bias_correction", adam, bias_correction, "true",                                      \
            "make up for the means' beginning at zero; false: the first steps are about "          \
            "(1 - beta1) / sqrt(1 - beta2) of what they would be, 3.2 times by default")

static const dl_option adam_options[] = {ADAM_OPTIONS, DL_OPTIONS_END};

static const dl_option adamw_options[] = {
    ADAM_OPTIONS,
    DL_FLOAT_OPTION(
        "weight_decay", adam, weight_decay, "0.01", 0, 1000,
        "each step takes learning_rate * weight_decay of every weight (not of biases) away, beside "
        "the gradient; regularization.l2 would go through it, and is not needed then"),
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
    float rest1, rest2;   /* 1 - beta, rounded once: 1 - 0.999f would be off by 1e-5 of itself */
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
    .kind = {"adam", "steps scaled by each weight's own gradients; works with little tuning",
             sizeof(adam), adam_options},
    .first_order = &(const dl_first_order_method){.vectors = vectors, .step = step},
};
const dl_optimizer_type dl_optimizer_adamw = {
    .kind = {"adamw", "adam with a weight decay that is not scaled by the gradients", sizeof(adam),
             adamw_options},
    .first_order = &(const dl_first_order_method){.vectors = vectors, .step = step},
};
