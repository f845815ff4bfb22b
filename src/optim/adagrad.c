/* SPDX-License-Identifier: MIT */
/* AdaGrad. Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and
   stochastic optimization", JMLR 12, 2011:
     s += g^2,  w -= rate · g / (sqrt(s) + epsilon). */
#include <math.h>

#include "optim/optimizer.h"

typedef struct {
    dl_optimizer_common common;
    double epsilon;
} adagrad;

static const dl_option options[] = {
    DL_OPTIMIZER_OPTIONS(adagrad, "0.01"),
    DL_FLOAT_OPTION("epsilon", adagrad, epsilon, "1e-10", 1e-30, 1,
                    "added to the denominator to avoid division by zero"),
    DL_OPTIONS_END,
};

static int vectors(const void *self) {
    (void)self;
    return 1;
}

typedef struct {
    float rate, epsilon;
    float *sum; /* [count] */
} update;

static void move(const void *context, const dl_chunk *p) {
    const update *u = context;
    float *restrict s = u->sum + p->first, *restrict w = p->weight;
#pragma omp simd
    for (int64_t i = 0; i < p->count; i++) {
        float g = dl_chunk_gradient(p, i);
        s[i] += g * g;
        w[i] -= u->rate * g / (sqrtf(s[i]) + u->epsilon);
    }
}

static void step(const void *self, const dl_objective *objective, float *const *vectors_of,
                 double rate, int64_t t) {
    const adagrad *a = self;
    (void)t;
    update u = {(float)rate, (float)a->epsilon, vectors_of[0]};
    dl_objective_each(objective, move, &u);
}

const dl_optimizer_type dl_optimizer_adagrad = {
    .kind = {"adagrad",
             "Adagrad: divides steps by the root of the sum of all squared gradients, so that they "
             "only shrink; for sparse features",
             sizeof(adagrad), options},
    .first_order = &(const dl_first_order_method){.vectors = vectors, .step = step},
};
