/* SPDX-License-Identifier: MIT */
/* Compares gradients with central differences (L(w + h) - L(w - h)) / 2h. A float loss has a
   relative error of about 1e-7, so h must be large, while the truncation error grows with h^2, or
   with h at the kink of a relu. So h is 1 % of the weights' root mean square, and a layer is judged
   by the median error over the weights with the largest gradients in a random sample.

   Biases are initially zero, the kink of a relu: at the black margin of an image, the outputs of a
   convolution equal its bias, so a difference would straddle the kink at thousands of pixels at
   once. Parameters that are all zero are therefore perturbed first. */
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "inspect/training_check.h"

enum { DRAWN = 64, PROBES = 7, ROWS = 16 };
static const double TOLERANCE = 0.05, NOISE = 4e-7;

static int by_size(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* The weights with the largest gradients in a random sample; returns their number. */
static int choose(const dl_param *param, int64_t chosen[PROBES]) {
    int count = 0;
    int64_t stride = param->count / DRAWN + 1;
    for (int64_t i = stride / 2; i < param->count; i += stride) {
        int at = count < PROBES ? count : PROBES - 1;
        if (count == PROBES && fabsf(param->grad[i]) <= fabsf(param->grad[chosen[at]]))
            continue;
        while (at > 0 && fabsf(param->grad[i]) > fabsf(param->grad[chosen[at - 1]])) {
            chosen[at] = chosen[at - 1];
            at--;
        }
        chosen[at] = i;
        count += count < PROBES;
    }
    return count;
}

static double step_of(const dl_param *param) {
    double squares = 0;
    for (int64_t i = 0; i < param->count; i++)
        squares += (double)param->value[i] * param->value[i];
    double rms = sqrt(squares / (double)param->count);
    return rms > 0.01 ? 0.01 * rms : rms > 0 ? 1e-3 : 1e-2;
}

/* The relative error beyond that of float arithmetic. */
static double error_of(dl_trial *t, const dl_batch *batch, float *weight, double gradient,
                       double h) {
    float kept = *weight;
    *weight = (float)(kept + h);
    double above = dl_trial_loss(t, batch, false), far = *weight;
    *weight = (float)(kept - h);
    double below = dl_trial_loss(t, batch, false), width = far - *weight;
    *weight = kept;
    double numeric = (above - below) / width, noise = NOISE * (fabs(above) + fabs(below)) / width;
    double scale = fabs(numeric) > fabs(gradient) ? fabs(numeric) : fabs(gradient);
    double off = fabs(numeric - gradient) - noise;
    if (!isfinite(numeric) || !isfinite(gradient))
        return INFINITY;
    return scale > 0 && off > 0 ? off / scale : 0;
}

/* The median error of a parameter; -1 if it is not trained. */
static double judge(dl_trial *t, const dl_batch *batch, const dl_param *param) {
    int64_t chosen[PROBES];
    double gradient[PROBES], errors[PROBES], h = step_of(param);
    if (param->flags & DL_FROZEN || !param->count)
        return -1;
    dl_trial_loss(t, batch, true);
    int count = choose(param, chosen);
    for (int i = 0; i < count; i++)
        gradient[i] = param->grad[chosen[i]];
    for (int i = 0; i < count; i++) {
        float *weight = param->value + chosen[i];
        double wide = error_of(t, batch, weight, gradient[i], h);
        double narrow = error_of(t, batch, weight, gradient[i], h / 8);
        errors[i] = wide < narrow ? wide : narrow;
    }
    qsort(errors, (size_t)count, sizeof *errors, by_size);
    return errors[count / 2];
}

/* Why the check cannot be applied: a backward pass that is deliberately not the gradient. */
static const char *reason(const dl_experiment *e) {
    if (e->model.settings.bf16)
        return "bf16 is too coarse for differences";
    if (e->model.loss->straight_through)
        return "its loss has a straight-through gradient";
    for (int i = 0; i < e->model.net.layer_count; i++)
        if (e->model.net.layers[i].type->inexact_gradient && !e->model.net.layers[i].varies)
            return "a layer's backward pass is deliberately not its gradient";
    return NULL;
}

static void leave_zero(const dl_param *param, uint16_t stream) {
    static const float WIDTH = 0.1f;
    dl_draw draw = {.purpose = DL_FOR_TEST, .stream = stream};
    for (int64_t i = 0; i < param->count; i++)
        if (param->value[i] != 0)
            return;
    dl_random_uniform(&draw, 0, param->count, param->value);
    for (int64_t i = 0; i < param->count; i++)
        param->value[i] = WIDTH * (2 * param->value[i] - 1);
}

void dl_checkup_gradient(dl_checkup *c, dl_trial *t, const dl_trial_rows *rows) {
    const dl_net *net = &t->e->model.net;
    const char *why = reason(t->e);
    if (why) {
        dl_checkup_add(c, "gradient", DL_CHECK_SKIPPED, "%s", why);
        return;
    }
    dl_trial_begin(t, true);
    dl_batch batch = dl_trial_batch(rows, t->e, 0, ROWS);
    double worst = 0;
    int which = -1, looked = 0, trained = 0;
    for (int p = 0; p < net->param_count; p++) {
        trained += !(net->params[p].flags & DL_FROZEN) && net->params[p].count;
        if (!(net->params[p].flags & DL_FROZEN))
            leave_zero(&net->params[p], (uint16_t)p);
    }
    int most = dl_trial_steps(t, batch.count, 10000, 2) / (3 * PROBES) + 1;
    for (int p = 0; p < net->param_count; p += net->param_count / most + 1) {
        double off = judge(t, &batch, &net->params[p]);
        looked += off >= 0;
        if (which < 0 || off > worst) {
            worst = off;
            which = p;
        }
    }
    const char *name = which < 0 ? "" : net->params[which].name;
    if (!looked)
        dl_checkup_add(c, "gradient", DL_CHECK_SKIPPED, "nothing is trained");
    else if (worst > TOLERANCE)
        dl_checkup_add(c, "gradient", DL_CHECK_FAILS,
                       "that of \"%s\" is %.2g off the differences' (relative; float can tell "
                       "%.2g): its layer has steps (use a smooth one), or its backward pass is "
                       "wrong: report it",
                       name, worst, TOLERANCE);
    else
        dl_checkup_add(c, "gradient", DL_CHECK_OK,
                       "%d of %d parameters agree with central differences; worst: \"%s\", %.2g "
                       "off",
                       looked, trained, name, worst);
}
