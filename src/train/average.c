/* SPDX-License-Identifier: MIT */
/* Averages of the weights w_t after steps t = 1, 2, …
   ema: a_1 = w_1,  a_t = d_t a_(t-1) + (1 - d_t) w_t,  d_t = min(decay, t / (9 + t)),
   so that the first steps of a short training do not dominate. After Polyak and Juditsky,
   "Acceleration of stochastic approximation by averaging", SIAM Journal on Control and Optimization
   1992. It uses the running statistics of the training, which are moving averages already.
   swa: the equal mean of the weights at the ends of the epochs from from_epoch on,
   a += (w - a) / n. Izmailov et al., "Averaging weights leads to wider optima and better
   generalization", UAI 2018. batch_norm's means and variances are recomputed for these weights in a
   pass over the training part: the mean over batches, weighted by their rows. */
#include "train/average.h"

#include <stdlib.h>

#include "math/vector.h"

const char *const dl_average_names[] = {"ema", "swa", NULL};

void dl_average_open(dl_average *a, const dl_experiment *e) {
    const dl_net *net = &e->model.net;
    *a = (dl_average){.wanted = e->settings.average != NULL, .kind = e->settings.average_kind};
    if (!a->wanted)
        return;
    a->weights = dl_memory_aligned(sizeof(float) * (size_t)net->weight_count);
    a->state = dl_memory_aligned(sizeof(float) * (size_t)(net->state_count + 1));
}

void dl_average_close(dl_average *a) {
    free(a->weights);
    free(a->state);
    *a = (dl_average){0};
}

/* average += weight * (x - average) */
static void move_average(float *average, const float *x, double weight, int64_t count) {
    float by = (float)weight;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++)
        average[i] += by * (x[i] - average[i]);
}

static void update(dl_average *a, const dl_net *net, double weight) {
    if (a->count++)
        move_average(a->weights, net->weights, weight, net->weight_count);
    else
        dl_copy(a->weights, net->weights, net->weight_count);
}

void dl_average_step(dl_average *a, const dl_experiment *e) {
    if (!a->wanted || a->kind != DL_AVERAGE_EMA)
        return;
    double t = (double)a->count + 1, ramp = t / (9 + t), decay = e->settings.average_decay;
    update(a, &e->model.net, 1 - (ramp < decay ? ramp : decay));
}

static void exchange(float *x, float *y, int64_t count) {
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) {
        float kept = x[i];
        x[i] = y[i];
        y[i] = kept;
    }
}

static void exchange_all(dl_average *a, const dl_net *net) {
    exchange(net->weights, a->weights, net->weight_count);
    for (int s = 0; s < net->state_param_count; s++) {
        const dl_param *p = &net->state_params[s];
        if (!(p->flags & DL_CARRIED))
            exchange(p->value, a->state + p->offset, p->count);
    }
    a->in_net = !a->in_net;
}

void dl_average_swap_in(dl_average *a, const dl_experiment *e) {
    if (!a->count || a->in_net)
        return;
    if (a->kind == DL_AVERAGE_EMA && e->model.net.state_count)
        dl_copy(a->state, e->model.net.states, e->model.net.state_count);
    exchange_all(a, &e->model.net);
}

void dl_average_swap_out(dl_average *a, const dl_experiment *e) {
    if (a->in_net)
        exchange_all(a, &e->model.net);
}

static bool has_statistics(const dl_net *net) {
    bool found = false;
    for (int s = 0; s < net->state_param_count; s++)
        found |= !(net->state_params[s].flags & DL_CARRIED);
    return found;
}

static int measure_statistics(dl_experiment *e, dl_loader *train, int64_t epoch, dl_error *error) {
    int before = error->count;
    int64_t rows = 0;
    const dl_batch *batch;
    dl_loader_start(train, dl_model_order(&e->model, true), (uint64_t)e->model.seed,
                    (uint32_t)epoch, 0);
    dl_net_begin(&e->model.net);
    while ((batch = dl_loader_next(train, error))) {
        rows += batch->count;
        dl_pass pass = {.batch = (int)batch->count,
                        .training = true,
                        .seed = (uint64_t)e->model.seed,
                        .epoch = (uint32_t)epoch,
                        .step = (uint32_t)batch->step,
                        .carry = true,
                        .statistics = (double)batch->count / (double)rows};
        dl_net_forward(&e->model.net, batch->x, &pass);
    }
    return error->count > before ? -1 : 0;
}

int dl_average_end_epoch(dl_average *a, dl_experiment *e, dl_loader *train, int64_t epoch,
                         dl_error *error) {
    bool of_epochs = a->wanted && a->kind == DL_AVERAGE_SWA;
    if (of_epochs && epoch + 1 >= e->settings.average_from) {
        update(a, &e->model.net, 1 / ((double)a->count + 1));
        if (e->model.net.state_count) /* a frozen batch_norm keeps its statistics */
            dl_copy(a->state, e->model.net.states, e->model.net.state_count);
    }
    dl_average_swap_in(a, e);
    if (!of_epochs || !a->in_net || !has_statistics(&e->model.net))
        return 0;
    return measure_statistics(e, train, epoch, error);
}
