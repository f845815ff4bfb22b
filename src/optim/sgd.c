/* SPDX-License-Identifier: MIT */
/* Stochastic gradient descent, with momentum (Polyak 1964) or Nesterov momentum (1983, as in
   Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML
   2013): v = m v + g,  w -= rate v;      nesterov: w -= rate (g + m v). The form v = m v - rate g,
   w += v is equivalent for a constant rate; when the rate changes, it follows only gradually.
   Without momentum, with the loss "perceptron" and a last layer with activation "step", this is
   Rosenblatt's perceptron rule; with "mse" and a linear layer, the delta rule of Widrow and
   Hoff. */
#include "optim/optimizer.h"

typedef struct {
    dl_optimizer_common common;
    double momentum;
    bool nesterov;
} sgd;

static const dl_option options[] = {
    DL_OPTIMIZER_OPTIONS(sgd, "0.01"),
    DL_FLOAT_OPTION(
        "momentum", sgd, momentum, "0.0", 0, 0.9999,
        "momentum m, usually 0.9: v = m v + g, w = w - learning_rate v, as in PyTorch; 0: none"),
    DL_BOOL_OPTION(
        "nesterov", sgd, nesterov, "false",
        "use Nesterov momentum: w = w - learning_rate (g + m v); needs a momentum above 0"),
    DL_OPTIONS_END,
};

static int vectors(const void *self) {
    return ((const sgd *)self)->momentum > 0;
}

typedef struct {
    float rate, momentum;
    float *velocity; /* [count] */
    bool nesterov;
} update;

static void plain(const void *context, const dl_chunk *p) {
    float rate = ((const update *)context)->rate;
#pragma omp simd
    for (int64_t i = 0; i < p->count; i++)
        p->weight[i] -= rate * dl_chunk_gradient(p, i);
}

static void with_momentum(const void *context, const dl_chunk *p) {
    const update *u = context;
    float *restrict v = u->velocity + p->first;
    float *restrict w = p->weight;
#pragma omp simd
    for (int64_t i = 0; i < p->count; i++) {
        float g = dl_chunk_gradient(p, i);
        v[i] = u->momentum * v[i] + g;
        w[i] -= u->rate * (u->nesterov ? g + u->momentum * v[i] : v[i]);
    }
}

static void step(const void *self, const dl_objective *objective, float *const *vectors_of,
                 double rate, int64_t t) {
    const sgd *s = self;
    (void)t;
    update u = {(float)rate, (float)s->momentum, s->momentum > 0 ? vectors_of[0] : NULL,
                s->nesterov};
    dl_objective_each(objective, u.velocity ? with_momentum : plain, &u);
}

static int check(const void *self, const char *where, dl_error *error) {
    const sgd *s = self;
    if (!s->nesterov || s->momentum > 0)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: nesterov needs a momentum, which is 0 (0.9 is usual)",
                   where);
}

const dl_optimizer_type dl_optimizer_sgd = {
    .kind = {"sgd",
             "stochastic gradient descent, optionally with momentum; with the loss \"perceptron\" "
             "it is the perceptron rule",
             sizeof(sgd), options},
    .check = check,
    .first_order = &(const dl_first_order_method){.vectors = vectors, .step = step},
};
