/* SPDX-License-Identifier: MIT */
#include "inspect/trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/vector.h"

/* The same model with adam, without penalties, constraints and noise. */
static int make_plain(dl_trial *t, dl_error *error) {
    dl_config_open(&t->config, "trial");
    dl_chosen adam;
    int result = dl_config_read_kind(&t->config, config_root_setting(&t->config.tree),
                                     &dl_optimizer_registry, "adam", NULL, &adam, error);
    t->plain = (dl_experiment){.model = t->given->model,
                               .settings.epochs = t->given->settings.epochs,
                               .optimizer = (const dl_optimizer_type *)adam.kind,
                               .optimizer_self = adam.self};
    t->plain.model.net.still = true;
    return result;
}

int dl_trial_open(dl_trial *t, dl_experiment *e, dl_error *error) {
    const dl_net *net = &e->model.net;
    *t = (dl_trial){.e = e, .given = e};
    dl_outcome_buffers_open(&t->outcome_buffers, &e->model);
    t->weights = xmalloc(sizeof(float) * (size_t)(net->weight_count + 1));
    t->states = xmalloc(sizeof(float) * (size_t)(net->state_count + 1));
    dl_copy(t->weights, net->weights, net->weight_count);
    if (net->states)
        dl_copy(t->states, net->states, net->state_count);
    return make_plain(t, error);
}

static void end(dl_trial *t) {
    if (t->begun)
        dl_update_close(&t->update);
    t->begun = false;
    dl_copy(t->e->model.net.weights, t->weights, t->e->model.net.weight_count);
    if (t->e->model.net.states)
        dl_copy(t->e->model.net.states, t->states, t->e->model.net.state_count);
}

void dl_trial_begin(dl_trial *t, bool plain) {
    end(t);
    t->e = plain ? &t->plain : t->given;
    dl_update_open(&t->update, t->e);
    dl_update_begin(&t->update, t->e, 0, 1);
    for (int s = 0; s < t->update.span_count && plain; s++) /* also those of layers */
        t->update.spans[s].l1 = t->update.spans[s].l2 = 0;
    t->progress = (dl_progress){0};
    t->begun = true;
}

double dl_trial_loss(dl_trial *t, const dl_batch *batch, bool gradients) {
    dl_experiment *e = t->e;
    dl_pass pass = {.batch = (int)batch->count,
                    .training = true,
                    .seed = (uint64_t)e->model.seed,
                    .step = (uint32_t)t->progress.step};
    dl_net_begin(&e->model.net);
    dl_net_forward(&e->model.net, batch->x, &pass);
    dl_losses losses =
        gradients ? dl_loss_backward(&e->model, batch) : dl_loss_forward(&e->model, batch);
    if (gradients)
        dl_net_backward(&e->model.net, &pass);
    return losses.net.counted > 0 ? dl_loss_mean(&losses.net) : 0;
}

double dl_trial_step(dl_trial *t, const dl_batch *batch, double rate) {
    double loss = dl_trial_loss(t, batch, true);
    if (isfinite(loss)) {
        float scale = dl_update_clip(t->e, &t->progress);
        dl_update_step(&t->update, t->e, &t->progress, scale, rate);
        dl_update_constrain(t->e);
    }
    t->progress.step++;
    t->progress.epoch_step++;
    return loss;
}

void dl_trial_time(dl_trial *t, const dl_batch *batch, double seconds) {
    double best = INFINITY, start = dl_clock();
    dl_trial_begin(t, true);
    for (int i = 0; i < 3 && dl_clock() - start < seconds / 10; i++) { /* the first one warms up */
        double from = dl_clock();
        dl_trial_loss(t, batch, true);
        best = fmin(best, dl_clock() - from);
    }
    double operations = (double)t->e->model.net.training_operations * (double)batch->count;
    t->speed = operations / fmax(best, 1e-6);
    t->deadline = start + seconds;
}

int dl_trial_steps(const dl_trial *t, int64_t rows, int most, double seconds) {
    static const double ALWAYS = 5e9;
    double left = fmax(t->deadline - dl_clock(), 0) / 2;
    double operations = fmax(t->speed * fmin(seconds, left), ALWAYS);
    double step = (double)(t->e->model.net.training_operations + 1) * (double)rows;
    return operations / step < most ? (int)(operations / step) : most;
}

void dl_trial_close(dl_trial *t) {
    if (!t->e)
        return;
    end(t);
    dl_outcome_buffers_close(&t->outcome_buffers);
    free(t->weights);
    free(t->states);
    dl_config_free(&t->config);
    *t = (dl_trial){0};
}

int dl_trial_rows_read(dl_trial_rows *r, const dl_experiment *e, dl_split part, int64_t most,
                       dl_error *error) {
    enum { MOST_NUMBERS = 1 << 25, FEWEST = 50 };
    int before = error->count;
    size_t inputs = (size_t)dl_shape_size(e->model.data.schema.input);
    size_t outputs = (size_t)e->model.data.schema.outputs;
    *r = (dl_trial_rows){0};
    int64_t fitting = MOST_NUMBERS / (int64_t)(inputs + outputs), least = e->model.batch_size;
    fitting = fitting > FEWEST ? fitting : FEWEST;
    fitting = fitting > least ? fitting : least;
    most = most < fitting ? most : fitting;
    most = most < e->model.data.part[part].count ? most : e->model.data.part[part].count;
    dl_loader *loader = dl_loader_new(&e->model.data, part, e->model.batch_size, error);
    if (!loader)
        return -1;
    r->x = xmalloc(sizeof(float) * inputs * (size_t)(most + 1));
    r->y = xmalloc(sizeof(float) * outputs * (size_t)(most + 1));
    if (e->model.data.schema.bin_edge)
        r->number = xmalloc(sizeof(float) * (size_t)(most + 1));
    if (e->model.data.part[part].dataset->weight)
        r->weight = xmalloc(sizeof(float) * (size_t)(most + 1));
    dl_order order = dl_model_order(&e->model, true);
    dl_loader_start(loader, order, (uint64_t)e->model.seed, 0, 0);
    const dl_batch *batch;
    while (r->count < most && (batch = dl_loader_next(loader, error))) {
        int64_t left = most - r->count, count = batch->count < left ? batch->count : left;
        memcpy(r->x + (size_t)r->count * inputs, batch->x, sizeof(float) * inputs * (size_t)count);
        memcpy(r->y + (size_t)r->count * outputs, batch->y,
               sizeof(float) * outputs * (size_t)count);
        if (r->number && batch->number)
            memcpy(r->number + r->count, batch->number, sizeof(float) * (size_t)count);
        if (r->weight && batch->weight)
            memcpy(r->weight + r->count, batch->weight, sizeof(float) * (size_t)count);
        r->count += count;
    }
    dl_loader_free(loader);
    return error->count > before ? -1 : 0;
}

dl_batch dl_trial_batch(const dl_trial_rows *r, const dl_experiment *e, int64_t first,
                        int64_t most) {
    int64_t count = r->count - first;
    count = count < most ? count : most;
    count = count < e->model.batch_size ? count : e->model.batch_size;
    return (dl_batch){.x = r->x + first * dl_shape_size(e->model.data.schema.input),
                      .y = r->y + first * e->model.data.schema.outputs,
                      .number = r->number ? r->number + first : NULL,
                      .weight = r->weight ? r->weight + first : NULL,
                      .count = count};
}

/* Minimizes over free outputs with Rprop, whose steps do not depend on the scale of the loss. */
double dl_trial_lowest_loss(const dl_trial *t, const dl_trial_rows *r) {
    enum { STEPS = 200 };
    const dl_experiment *e = t->e;
    int64_t rows = r->count * e->model.positions, count = rows * e->model.channels;
    float *z = xcalloc((size_t)count * 3, sizeof *z), *g = z + count, *before = g + count;
    float *step = xmalloc(sizeof *step * (size_t)count);
    double least = INFINITY;
    for (int64_t i = 0; i < count; i++)
        step[i] = 0.1f;
    for (int s = 0; s < STEPS; s++) {
        double loss = e->model.loss->evaluate(e->model.loss_self, &e->model.target, rows,
                                              e->model.channels, z, r->y, 1.0f / (float)rows, g) /
                      (double)rows;
        least = loss < least ? loss : least;
        for (int64_t i = 0; i < count; i++) {
            float turn = g[i] * before[i];
            step[i] *= turn > 0 ? 1.2f : turn < 0 ? 0.5f : 1;
            step[i] = step[i] < 100 ? step[i] : 100;
            z[i] -= step[i] * (float)((g[i] > 0) - (g[i] < 0));
            before[i] = g[i];
        }
    }
    free(z);
    free(step);
    return least;
}

void dl_trial_rows_free(dl_trial_rows *r) {
    free(r->x);
    free(r->y);
    free(r->number);
    free(r->weight);
    *r = (dl_trial_rows){0};
}
