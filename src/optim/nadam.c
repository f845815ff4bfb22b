/* SPDX-License-Identifier: MIT */
/* NAdam: Adam with Nesterov momentum. Dozat, "Incorporating Nesterov momentum into Adam", ICLR 2016
   workshop, with the warm-up of the momentum:
     mu_t = b1 (1 - 0.96^(t psi) / 2),  P_t = mu_1 mu_2 … mu_t,
     m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
     w -= rate · ((1 - mu_t) g / (1 - P_t) + mu_(t+1) m / (1 - P_(t+1)))
               / (sqrt(v / (1 - b2^t)) + epsilon). */
#include <math.h>

#include "optim/optimizer.h"

typedef struct {
    dl_optimizer_common common;
    double beta1, beta2, epsilon, momentum_decay;
} nadam;

static const dl_option options[] = {
    DL_OPTIMIZER_OPTIONS(nadam, "0.002"),
    DL_FLOAT_OPTION("beta1", nadam, beta1, "0.9", 0, 0.99999,
                    "decay rate of the running mean of the gradients, and final momentum"),
    DL_FLOAT_OPTION("beta2", nadam, beta2, "0.999", 0, 0.9999999,
                    "decay rate of the running mean of the squared gradients"),
    DL_FLOAT_OPTION("epsilon", nadam, epsilon, "1e-8", 1e-30, 1,
                    "added to the denominator to avoid division by zero"),
    DL_FLOAT_OPTION(
        "momentum_decay", nadam, momentum_decay, "0.004", 0, 1,
        "how fast the momentum grows from beta1 / 2 to beta1; 0: it stays at beta1 / 2"),
    DL_OPTIONS_END,
};

static int vectors(const void *self) {
    (void)self;
    return 2;
}

static double momentum(const nadam *n, int64_t t) {
    return n->beta1 * (1 - 0.5 * pow(0.96, (double)t * n->momentum_decay));
}

/* P_t in closed form, without state. With q = 0.96^psi, log(1 - q^i / 2) is the series of
   -(q^i / 2)^k / k, and the sum of q^(ki) over i = 1 … t is q^k (1 - q^(kt)) / (1 - q^k). */
static double product(const nadam *n, int64_t t) {
    enum { TERMS = 60 }; /* 2^-60 is below the precision of a double */
    double log_q = n->momentum_decay * log(0.96), sum = 0, power = 1;
    for (int k = 1; k <= TERMS; k++) {
        double steps = log_q < 0 ? exp(k * log_q) * expm1(k * log_q * (double)t) / expm1(k * log_q)
                                 : (double)t;
        power *= 0.5;
        sum += power / k * steps;
    }
    return pow(n->beta1, (double)t) * exp(-sum);
}

typedef struct {
    float now, ahead; /* factors of g and m */
    float root;       /* 1 / sqrt(1 - b2^t) */
    float beta1, beta2, rest1, rest2, epsilon;
    float *mean, *square; /* [count] */
} update;

static void move(const void *context, const dl_chunk *p) {
    const update *u = context;
    float *restrict m = u->mean + p->first, *restrict v = u->square + p->first;
    float *restrict w = p->weight;
#pragma omp simd
    for (int64_t i = 0; i < p->count; i++) {
        float g = dl_chunk_gradient(p, i);
        m[i] = u->beta1 * m[i] + u->rest1 * g;
        v[i] = u->beta2 * v[i] + u->rest2 * g * g;
        w[i] -= (u->now * g + u->ahead * m[i]) / (sqrtf(v[i]) * u->root + u->epsilon);
    }
}

static void step(const void *self, const dl_objective *objective, float *const *vectors_of,
                 double rate, int64_t t) {
    const nadam *n = self;
    update u = {(float)(rate * (1 - momentum(n, t)) / (1 - product(n, t))),
                (float)(rate * momentum(n, t + 1) / (1 - product(n, t + 1))),
                (float)(1 / sqrt(1 - pow(n->beta2, (double)t))),
                (float)n->beta1,
                (float)n->beta2,
                (float)(1 - n->beta1),
                (float)(1 - n->beta2),
                (float)n->epsilon,
                vectors_of[0],
                vectors_of[1]};
    dl_objective_each(objective, move, &u);
}

const dl_optimizer_type dl_optimizer_nadam = {
    .kind = {"nadam",
             "NAdam: Adam with Nesterov momentum; often converges slightly faster than adam",
             sizeof(nadam), options},
    .first_order = &(const dl_first_order_method){.vectors = vectors, .step = step},
};
