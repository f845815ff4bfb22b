/* SPDX-License-Identifier: MIT */
/* Rprop, resilient backpropagation. Riedmiller and Braun, "A direct adaptive method for faster
   backpropagation learning: the RPROP algorithm", ICNN 1993, without backtracking. Each weight has
   its own step s, initially the learning rate; p is the previous gradient:
     g p > 0: s = min(s · eta_plus, max_step),   w -= s sign(g),  p = g
     g p < 0: s = max(s · eta_minus, min_step),  w stays,         p = 0
     g p = 0:                                    w -= s sign(g),  p = g
   It uses only signs, which are too noisy in minibatches. */
#include "optim/optimizer.h"

typedef struct {
    dl_optimizer_common common;
    double eta_minus, eta_plus, min_step, max_step;
} rprop;

static const dl_option options[] = {
    DL_OPTIMIZER_OPTIONS(rprop, "0.01"),
    DL_FLOAT_OPTION("eta_minus", rprop, eta_minus, "0.5", 0.001, 0.999,
                    "factor of the step of a weight when the sign of its gradient has changed"),
    DL_FLOAT_OPTION("eta_plus", rprop, eta_plus, "1.2", 1.001, 10,
                    "factor of the step when the sign has not changed"),
    DL_FLOAT_OPTION("min_step", rprop, min_step, "1e-6", 1e-30, 1000, "smallest step"),
    DL_FLOAT_OPTION("max_step", rprop, max_step, "50", 1e-30, 1000, "largest step"),
    DL_OPTIONS_END,
};

static int vectors(const void *self) {
    (void)self;
    return 2;
}

typedef struct {
    float first; /* initial step; 0 after the first step */
    float minus, plus, least, most;
    float *before, *length; /* [count] */
} update;

static void move(const void *context, const dl_chunk *p) {
    const update *u = context;
    float *restrict before = u->before + p->first, *restrict s = u->length + p->first;
    float *restrict w = p->weight;
#pragma omp simd
    for (int64_t i = 0; i < p->count; i++) {
        float g = dl_chunk_gradient(p, i), product = g * before[i];
        float factor = product > 0 ? u->plus : product < 0 ? u->minus : 1;
        float length = (u->first > 0 ? u->first : s[i]) * factor;
        length = length > u->most ? u->most : length < u->least ? u->least : length;
        g = product < 0 ? 0 : g;
        w[i] -= length * (float)((g > 0) - (g < 0));
        s[i] = length;
        before[i] = g;
    }
}

static void step(const void *self, const dl_objective *objective, float *const *vectors_of,
                 double rate, int64_t t) {
    const rprop *r = self;
    update u = {
        t == 1 ? (float)rate : 0, (float)r->eta_minus, (float)r->eta_plus, (float)r->min_step,
        (float)r->max_step,       vectors_of[0],       vectors_of[1]};
    dl_objective_each(objective, move, &u);
}

static int check(const void *self, const char *where, dl_error *error) {
    const rprop *r = self;
    int result = 0;
    if (r->min_step > r->max_step)
        result = dl_fail(error, DL_USAGE, "%s: min_step is %g, but max_step is %g", where,
                         r->min_step, r->max_step);
    if (r->common.schedule)
        result = dl_fail(error, DL_USAGE,
                         "%s: rprop adapts its steps itself: a schedule has no effect", where);
    return result;
}

const dl_optimizer_type dl_optimizer_rprop = {
    .kind = {"rprop",
             "Rprop, resilient backpropagation: uses only the signs of the gradients, with a step "
             "per weight that starts at learning_rate. For small data, with batch_size = \"all\"",
             sizeof(rprop), options},
    .check = check,
    .first_order =
        &(const dl_first_order_method){.vectors = vectors, .step = step, .needs_full_batch = true},
};
