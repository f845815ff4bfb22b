/* SPDX-License-Identifier: MIT */
/* ADADELTA. Zeiler, "ADADELTA: an adaptive learning rate method", 2012 (arXiv:1212.5701):
     s = rho s + (1 - rho) g^2,  d = g · sqrt(u + epsilon) / sqrt(s + epsilon),
     u = rho u + (1 - rho) d^2,  w -= rate · d. */
#include <math.h>

#include "optim/optimizer.h"

typedef struct {
    dl_optimizer_common common;
    double rho, epsilon;
} adadelta;

static const dl_option options[] = {
    DL_OPTIMIZER_OPTIONS(adadelta, "1.0"),
    DL_FLOAT_OPTION("rho", adadelta, rho, "0.9", 0, 0.99999,
                    "decay rate of the running mean squares of gradients and steps"),
    DL_FLOAT_OPTION("epsilon", adadelta, epsilon, "1e-6", 1e-30, 1,
                    "added to both mean squares; the first steps are about as long as its square "
                    "root, so a larger value starts faster"),
    DL_OPTIONS_END,
};

static int vectors(const void *self) {
    (void)self;
    return 2;
}

typedef struct {
    float rate, rho, rest, epsilon;
    float *square, *moved; /* [count] */
} update;

static void move(const void *context, const dl_chunk *p) {
    const update *u = context;
    float *restrict s = u->square + p->first, *restrict d = u->moved + p->first;
    float *restrict w = p->weight;
#pragma omp simd
    for (int64_t i = 0; i < p->count; i++) {
        float g = dl_chunk_gradient(p, i);
        s[i] = u->rho * s[i] + u->rest * g * g;
        float delta = g * (sqrtf(d[i] + u->epsilon) / sqrtf(s[i] + u->epsilon));
        d[i] = u->rho * d[i] + u->rest * delta * delta;
        w[i] -= u->rate * delta;
    }
}

static void step(const void *self, const dl_objective *objective, float *const *vectors_of,
                 double rate, int64_t t) {
    const adadelta *a = self;
    (void)t;
    update u = {(float)rate,       (float)a->rho, (float)(1 - a->rho),
                (float)a->epsilon, vectors_of[0], vectors_of[1]};
    dl_objective_each(objective, move, &u);
}

const dl_optimizer_type dl_optimizer_adadelta = {
    .kind = {"adadelta",
             "Adadelta: adapts the step of each weight from past gradients and steps, with no "
             "learning rate to tune; starts slowly",
             sizeof(adadelta), options},
    .first_order = &(const dl_first_order_method){.vectors = vectors, .step = step},
};
