/* SPDX-License-Identifier: MIT */
/* RMSprop. Tieleman and Hinton, "Neural networks for machine learning", Coursera 2012, lecture 6.5:
     s = a s + (1 - a) g^2,  d = g / (sqrt(s) + epsilon);
   centered (Graves, "Generating sequences with recurrent neural networks", 2013):
     m = a m + (1 - a) g,  d = g / (sqrt(s - m^2) + epsilon);
   and w -= rate · d, or with momentum: b = momentum · b + d,  w -= rate · b. */
#include <math.h>

#include "optim/optimizer.h"

typedef struct {
    dl_optimizer_common common;
    double alpha, epsilon, momentum;
    bool centered;
} rmsprop;

static const dl_option options[] = {
    DL_OPTIMIZER_OPTIONS(rmsprop, "0.01"),
    DL_FLOAT_OPTION("alpha", rmsprop, alpha, "0.99", 0, 0.99999,
                    "decay rate of the running mean of the squared gradients"),
    DL_FLOAT_OPTION("epsilon", rmsprop, epsilon, "1e-8", 1e-30, 1,
                    "added to the denominator to avoid division by zero"),
    DL_FLOAT_OPTION("momentum", rmsprop, momentum, "0.0", 0, 0.9999,
                    "momentum: b = momentum b + step, w = w - learning_rate b"),
    DL_BOOL_OPTION(
        "centered", rmsprop, centered, "false",
        "divide by the standard deviation of the gradient instead of its root mean square"),
    DL_OPTIONS_END,
};

static int vectors(const void *self) {
    const rmsprop *r = self;
    return 1 + r->centered + (r->momentum > 0);
}

typedef struct {
    float rate, alpha, rest, epsilon, momentum;
    float *square, *mean, *velocity; /* [count]; the last two may be NULL */
} update;

/* One of the four forms. */
static inline void move_as(const update *u, const dl_chunk *p, bool centered, bool momentum) {
    float *restrict s = u->square + p->first, *restrict w = p->weight;
    float *restrict m = centered ? u->mean + p->first : NULL;
    float *restrict b = momentum ? u->velocity + p->first : NULL;
#pragma omp simd
    for (int64_t i = 0; i < p->count; i++) {
        float g = dl_chunk_gradient(p, i);
        float variance = s[i] = u->alpha * s[i] + u->rest * g * g;
        if (centered) { /* rounding must not make it negative */
            m[i] = u->alpha * m[i] + u->rest * g;
            variance -= m[i] * m[i];
            variance = variance < 0 ? 0 : variance;
        }
        float move = g / (sqrtf(variance) + u->epsilon);
        if (momentum)
            move = b[i] = u->momentum * b[i] + move;
        w[i] -= u->rate * move;
    }
}

static void plain(const void *u, const dl_chunk *p) {
    move_as(u, p, false, false);
}

static void with_mean(const void *u, const dl_chunk *p) {
    move_as(u, p, true, false);
}

static void with_momentum(const void *u, const dl_chunk *p) {
    move_as(u, p, false, true);
}

static void with_both(const void *u, const dl_chunk *p) {
    move_as(u, p, true, true);
}

static void step(const void *self, const dl_objective *objective, float *const *vectors_of,
                 double rate, int64_t t) {
    static void (*const forms[2][2])(const void *, const dl_chunk *) = {{plain, with_mean},
                                                                        {with_momentum, with_both}};
    const rmsprop *r = self;
    bool momentum = r->momentum > 0;
    (void)t;
    update u = {(float)rate,
                (float)r->alpha,
                (float)(1 - r->alpha),
                (float)r->epsilon,
                (float)r->momentum,
                vectors_of[0],
                r->centered ? vectors_of[1] : NULL,
                momentum ? vectors_of[1 + r->centered] : NULL};
    dl_objective_each(objective, forms[momentum][r->centered], &u);
}

const dl_optimizer_type dl_optimizer_rmsprop = {
    .kind = {"rmsprop",
             "RMSprop: divides steps by the root of a running mean of the squared gradients; for "
             "recurrent networks",
             sizeof(rmsprop), options},
    .first_order = &(const dl_first_order_method){.vectors = vectors, .step = step},
};
