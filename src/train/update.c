/* SPDX-License-Identifier: MIT */
#include "train/update.h"

#include <math.h>
#include <stdlib.h>

#include "math/orthogonal.h"
#include "math/vector.h"
#include "optim/clipping.h"
#include "train/monitor.h"

/* Adjacent parameters with the same penalties become one span. */
static void add_span(dl_update *u, const dl_experiment *e, const dl_param *param) {
    dl_update_group *group = &u->groups[u->group_count - 1];
    bool decays = param->flags & DL_DECAYS;
    double l1 = param->l1 < 0 ? e->settings.l1 : param->l1;
    double l2 = param->l2 < 0 ? e->settings.l2 : param->l2;
    dl_span span = {param->offset, param->count, decays ? (float)l1 : 0, decays ? (float)l2 : 0,
                    decays};
    dl_span *last = group->count ? &u->spans[u->span_count - 1] : NULL;
    bool adjoins = last && last->first + last->count == span.first;
    if (adjoins && last->l1 == span.l1 && last->l2 == span.l2 && last->decays == span.decays) {
        last->count += span.count;
        return;
    }
    u->spans[u->span_count++] = span;
    group->count++;
}

/* The first epoch, from 1, in which the parameter is trained. */
static int64_t first_epoch(const dl_param *param) {
    return param->freeze_until > 1 ? param->freeze_until : 1;
}

/* The group of the parameters that are trained from epoch `from` on. */
static void add_group(dl_update *u, const dl_experiment *e, int64_t from) {
    const dl_net *net = &e->model.net;
    u->groups[u->group_count++] = (dl_update_group){from, u->span_count, 0};
    for (int p = 0; p < net->param_count; p++)
        if (!(net->params[p].flags & DL_FROZEN) && first_epoch(&net->params[p]) == from)
            add_span(u, e, &net->params[p]);
}

void dl_update_begin(dl_update *u, dl_experiment *e, int64_t epoch, int64_t steps) {
    const dl_net *net = &e->model.net;
    dl_net_thaw(&e->model.net, epoch + 1);
    u->steps = steps;
    u->span_count = u->group_count = 0;
    for (int64_t from = 1, next; from <= epoch + 1; from = next) {
        add_group(u, e, from);
        next = INT64_MAX;
        for (int p = 0; p < net->param_count; p++)
            if (first_epoch(&net->params[p]) > from && first_epoch(&net->params[p]) < next)
                next = first_epoch(&net->params[p]);
    }
}

float dl_update_clip(const dl_experiment *e, const dl_progress *p) {
    const dl_settings *s = &e->settings;
    const dl_net *net = &e->model.net;
    double scale = 1;
    if (s->clip_value > 0)
        dl_clip_values(net->gradients, net->weight_count, s->clip_value);
    if (s->clip_norm > 0) {
        double norm = sqrt(dl_sum_of_squares(net->gradients, net->weight_count));
        if (norm > s->clip_norm)
            scale = s->clip_norm / norm;
    }
    if (s->gradient_noise == 0)
        return (float)scale;
    dl_draw draw = {(uint64_t)e->model.seed, DL_FOR_GRADIENT, 0, (uint32_t)p->epoch,
                    (uint32_t)p->epoch_step};
    double variance = s->gradient_noise / pow(1 + (double)p->step, s->gradient_noise_decay);
    dl_add_noise(&draw, scale, sqrt(variance), net->gradients, net->weight_count);
    for (int i = 0; i < net->param_count; i++) /* so that it does not count in clip_norm */
        if (net->params[i].flags & DL_FROZEN)
            dl_zero(net->params[i].grad, net->params[i].count);
    return 1;
}

/* Copies the orthogonal matrices before a step. */
static void save_orthogonal(const dl_update *u, const dl_net *net) {
    float *to = u->before;
    for (int i = 0; i < net->param_count; i++)
        if (net->params[i].flags & DL_ORTHOGONAL) {
            dl_copy(to, net->params[i].value, net->params[i].count);
            to += net->params[i].count;
        }
}

/* Replaces their step by one on the manifold (Cayley transform). */
static void restore_orthogonal(const dl_update *u, const dl_net *net) {
    const float *from = u->before;
    for (int i = 0; i < net->param_count; i++) {
        const dl_param *p = &net->params[i];
        if (!(p->flags & DL_ORTHOGONAL))
            continue;
        if (!(p->flags & DL_FROZEN))
            dl_cayley(p->shape.dim[0], p->shape.dim[1], from, p->value, u->work);
        from += p->count;
    }
}

void dl_update_make_orthogonal(const dl_net *net) {
    for (int i = 0; i < net->param_count; i++)
        if (net->params[i].flags & DL_ORTHOGONAL)
            dl_orthogonalize(net->params[i].shape.dim[0], net->params[i].shape.dim[1],
                             net->params[i].value);
}

static void open_orthogonal(dl_update *u, const dl_net *net) {
    int64_t count = 0, most = 0;
    for (int i = 0; i < net->param_count; i++) {
        const dl_param *p = &net->params[i];
        if (!(p->flags & DL_ORTHOGONAL))
            continue;
        int64_t work = dl_cayley_work(p->shape.dim[0], p->shape.dim[1]);
        count += p->count;
        most = work > most ? work : most;
    }
    if (!count)
        return;
    u->before = dl_memory_aligned(sizeof(float) * (size_t)count);
    u->work = dl_memory_aligned((size_t)most);
}

void dl_update_constrain(const dl_experiment *e) {
    const dl_settings *s = &e->settings;
    const dl_net *net = &e->model.net;
    for (int i = 0; (s->clip_weights > 0 || s->max_norm > 0) && i < net->param_count; i++) {
        const dl_param *p = &net->params[i];
        if (!(p->flags & DL_DECAYS) || p->flags & DL_FROZEN)
            continue;
        if (s->clip_weights > 0)
            dl_clip_values(p->value, p->count, s->clip_weights);
        int64_t columns = p->columns ? p->columns : dl_shape_channels(p->shape);
        if (s->max_norm > 0)
            dl_clip_norms(p->value, p->count, p->units ? p->units : columns,
                          p->inner ? p->inner : 1, s->max_norm);
    }
}

void dl_update_open(dl_update *u, const dl_experiment *e) {
    const dl_first_order_method *method = e->optimizer->first_order;
    dl_optimizer_state *r = &u->optimizer_state;
    *u = (dl_update){0};
    u->spans = xcalloc((size_t)e->model.net.param_count, sizeof *u->spans);
    u->groups = xcalloc((size_t)e->model.net.param_count + 1, sizeof *u->groups);
    open_orthogonal(u, &e->model.net);
    r->vector_count = method ? method->vectors(e->optimizer_self) : 0;
    for (int v = 0; v < r->vector_count; v++)
        r->vectors[v] = dl_memory_aligned(sizeof(float) * (size_t)e->model.net.weight_count);
}

void dl_update_step(const dl_update *u, const dl_experiment *e, const dl_progress *p, float scale,
                    double rate) {
    const dl_first_order_method *method = e->optimizer->first_order;
    const dl_net *net = &e->model.net;
    save_orthogonal(u, net);
    for (int g = 0; g < u->group_count; g++) {
        const dl_update_group *group = &u->groups[g];
        dl_objective objective = {net->weight_count,       net->weights, net->gradients, scale,
                                  u->spans + group->first, group->count};
        int64_t done = p->step; /* steps in which these parameters were trained */
        if (group->from > 1)
            done = (p->epoch - (group->from - 1)) * u->steps + p->epoch_step;
        method->step(e->optimizer_self, &objective, u->optimizer_state.vectors, rate, done + 1);
    }
    restore_orthogonal(u, net);
}

double dl_update_penalty(const dl_update *u, const dl_experiment *e) {
    double sum = 0;
    for (int s = 0; s < u->span_count; s++) {
        const dl_span *span = &u->spans[s];
        const float *weight = e->model.net.weights + span->first;
        if (span->l1 > 0)
            sum += span->l1 * dl_sum_of_magnitudes(weight, span->count);
        if (span->l2 > 0)
            sum += span->l2 / 2 * dl_sum_of_squares(weight, span->count);
    }
    return sum;
}

void dl_update_close(dl_update *u) {
    for (int v = 0; v < u->optimizer_state.vector_count; v++)
        free(u->optimizer_state.vectors[v]);
    free(u->optimizer_state.state);
    free(u->spans);
    free(u->groups);
    free(u->before);
    free(u->work);
    *u = (dl_update){0};
}

double dl_update_rate(const dl_experiment *e, const dl_progress *p, int64_t steps, int64_t step) {
    const dl_optimizer_common *common = e->optimizer_self;
    if (!e->schedule)
        return common->learning_rate;
    dl_schedule_clock clock = {p->epoch, step, p->step - p->epoch_step + step, steps,
                               e->settings.epochs};
    return common->learning_rate *
           dl_schedule_factor(e->schedule, e->schedule_self, &clock, p->schedule);
}

void dl_update_observe(const dl_experiment *e, dl_progress *p, int64_t steps, const dl_row *row) {
    const dl_schedule_common *common = e->schedule_self;
    if (!e->schedule || !common->monitor)
        return;
    bool higher;
    double value = dl_monitor_value(e, common->monitor, row, &higher);
    dl_schedule_clock clock = {p->epoch, 0, p->step, steps, e->settings.epochs};
    dl_schedule_observe(e->schedule, e->schedule_self, &clock, value, higher, p->schedule);
}
