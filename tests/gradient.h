/* SPDX-License-Identifier: MIT */
/* What the gradient checks share: a net against central differences in double precision. */
#ifndef TESTS_GRADIENT_H
#define TESTS_GRADIENT_H

#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/threads.h"

enum { BATCH = 3, MOST_BATCH = 4 };
static const double STEP = 3e-6, SHARE = 0.8; /* of its input the probe hands on */
/* Of a layer's slopes; of those of several layers behind each other, which bend more, ten times it.
 */
static double tolerance = 1e-7;
/* The input is whole numbers, 0 and 1, for layers that read such: they have no slope. */
static bool whole_numbers = false;

static const dl_shape shapes[] = {{3, {7, 6, 3, 1}}, {1, {5, 1, 1, 1}}, {2, {6, 3, 1, 1}}};

/* ---- one net against central differences ---- */

/* End 0 is the net's output, 1, 2, … are its heads'; what they count for. */
static inline dl_tensor *end_of(dl_net *net, int end) {
    return end ? dl_net_head_output(net, end - 1) : dl_net_output(net);
}

static inline double weight_of(const dl_net *net, int end) {
    return end ? net->heads[end - 1].weight : 1;
}

/* r: [out] of each end, one behind the other */
static inline double objective(dl_net *net, const float *r, const dl_pass *pass) {
    double sum = 0;
    for (int end = 0; end <= net->head_count; end++) {
        const dl_tensor *out = end_of(net, end);
        int64_t count = pass->batch * dl_shape_size(out->shape);
        for (int64_t i = 0; i < count; i++)
            sum += weight_of(net, end) * *r++ * out->value[i];
    }
    return sum;
}

/* The same objective's gradient, where the losses would put it. */
static inline void fill_gradients(dl_net *net, const float *r, const dl_pass *pass) {
    for (int end = 0; end <= net->head_count; end++) {
        dl_tensor *out = end_of(net, end);
        int64_t count = pass->batch * dl_shape_size(out->shape);
        for (int64_t i = 0; i < count; i++)
            out->grad[i] = (float)(weight_of(net, end) * *r++);
    }
}

/* A net under test. Its first layer is the probe, whose output is put back before each run, since
   the plan may have had it overwritten in the run before. */
typedef struct {
    dl_net *net;
    const dl_pass *pass;
    const float *r;    /* the objective's weights [out], of each end */
    const float *kept; /* the probe's output [in] */
    int64_t in;
} trial;

static inline void restore(const trial *t) {
    memcpy(t->net->layers[0].out.value, t->kept, sizeof *t->kept * (size_t)t->in);
}

/* The objective with *place = value, running from layer 1 on. */
static inline double objective_at(const trial *t, float *place, double value) {
    restore(t);
    *place = value;
    for (int i = 1; i < t->net->layer_count; i++)
        if (!t->net->layers[i].is_view)
            dl_layer_forward(&t->net->layers[i], t->pass);
    return objective(t->net, t->r, t->pass);
}

/* Compares analytic[count] with the slopes of the objective along value[count]. Returns how many
   slopes are not zero. */
static inline int compare(const trial *t, float *value, const float *analytic, int64_t count,
                          const char *what) {
    int slopes = 0;
    restore(t);
    for (int64_t i = 0; i < count; i++) {
        float kept = value[i];
        double above = objective_at(t, &value[i], kept + STEP);
        double below = objective_at(t, &value[i], kept - STEP);
        value[i] = kept;
        restore(t);
        double slope = (above - below) / (2 * STEP);
        double scale = fmax(1, fmax(fabs(slope), fabs(analytic[i])));
        if (!(fabs(slope - analytic[i]) <= tolerance * scale))
            fail_msg("%s: element %lld: slope %.9g, gradient %.9g", what, (long long)i, slope,
                     analytic[i]);
        slopes += fabs(slope) > 1e-6;
    }
    return slopes;
}

/* Checks layer 1 (and what follows) of a net whose layer 0 is the probe. Returns the number of
   slopes that are not zero. */
static inline int check_net(dl_net *net, const char *what, int batch) {
    dl_pass pass = {.batch = batch, .training = true, .seed = 7, .epoch = 2, .step = 5};
    for (int i = 0; i < net->layer_count; i++)
        pass.training &= !net->layers[i].type->inexact_gradient;
    int64_t in = batch * dl_shape_size(net->input);
    int64_t out = 0;
    for (int end = 0; end <= net->head_count; end++)
        out += batch * dl_shape_size(end_of(net, end)->shape);
    float *x = xmalloc(sizeof *x * (size_t)in), *r = xmalloc(sizeof *r * (size_t)out);
    dl_net_initialize(net, 3);
    for (int p = 0; p < net->param_count; p++) /* biases too */
        harness_fill(net->params[p].value, net->params[p].count, (uint16_t)(10 + p));
    for (int s = 0; s < net->state_param_count; s++) /* as if there had been a batch before */
        if (net->state_params[s].flags & DL_CARRIED)
            harness_fill(net->state_params[s].value, net->state_params[s].count,
                         (uint16_t)(90 + s));
    harness_identity(net);
    const double share = whole_numbers ? 1 : SHARE; /* two readers see two different inputs */
    for (int64_t i = 0; i < net->params[0].count; i++)
        net->params[0].value[i] *= share;
    harness_fill(x, in, 1);
    for (int64_t i = 0; whole_numbers && i < in; i++)
        x[i] = x[i] > 0;
    harness_fill(r, out, 2);
    memset(net->memory, 0xFF, (size_t)net->memory_bytes); /* NaN: nobody may count on zeros */
    for (int i = 0; i < net->layer_count; i++) /* nor on those of parameters that are trained */
        for (int p = 0; p < net->layers[i].param_count; p++)
            if (!(net->layers[i].params[p].flags & DL_FROZEN))
                memset(net->layers[i].params[p].grad, 0xFF,
                       sizeof *x * (size_t)net->layers[i].params[p].count);
    dl_net_forward(net, x, &pass);
    fill_gradients(net, r, &pass);
    dl_net_backward(net, &pass);
    /* the differences write over the plan's memory: keep what is compared */
    dl_tensor *middle = &net->layers[0].out;
    float *grads = xmalloc(sizeof *grads * (size_t)(net->weight_count + in));
    memcpy(grads, net->gradients, sizeof *grads * (size_t)net->weight_count);
    memcpy(grads + net->weight_count, middle->grad, sizeof *grads * (size_t)in);
    float *handed = xmalloc(sizeof *handed * (size_t)in);
    for (int64_t i = 0; i < in; i++)
        handed[i] = share * x[i];
    trial t = {net, &pass, r, handed, in};
    int slopes = 0;
    for (int64_t i = 0; whole_numbers && i < in; i++)
        assert_true(grads[net->weight_count + i] == 0);
    if (!whole_numbers)
        slopes += compare(&t, middle->value, grads + net->weight_count, in, what);
    for (int i = 1; i < net->layer_count; i++)
        for (int p = 0; p < net->layers[i].param_count; p++) {
            dl_param *param = &net->layers[i].params[p];
            for (int64_t k = 0; param->flags & DL_FROZEN && k < param->count; k++)
                assert_true(grads[param->offset + k] == 0);
            if (param->flags & DL_FROZEN)
                continue;
            slopes += compare(&t, param->value, grads + param->offset, param->count, what);
        }
    free(grads);
    free(handed);
    free(x);
    free(r);
    return slopes;
}

#endif
