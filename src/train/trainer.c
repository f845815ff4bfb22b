/* SPDX-License-Identifier: MIT */
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/terminal.h"
#include "run/config_changes.h"
#include "run/run.h"
#include "train/divergence.h"
#include "train/monitor.h"

static int send_event(dl_trainer *t, dl_event event, dl_error *error) {
    event.trainer = t;
    for (int l = 0; l < t->listener_count; l++)
        if (t->listeners[l].on_event(t->listeners[l].context, &event, error))
            return -1;
    return 0;
}

/* ---- a step ---- */

/* Adds the time since `from` to a phase; returns the current time. */
static double add_time(dl_trainer *t, int phase, double from) {
    double now = dl_clock();
    t->phase[phase] += now - from;
    return now;
}

static int check_losses(dl_trainer *t, const dl_losses *losses, const dl_batch *batch,
                        dl_error *error) {
    const dl_net *net = &t->e->model.net;
    dl_text what = {0};
    if (!isfinite(losses->net.sum))
        dl_text_add(&what, "the loss");
    for (int h = 0; h < net->head_count && !what.length; h++)
        if (!isfinite(losses->head[h].sum))
            dl_text_add(&what, "the loss of the auxiliary head \"%s\"", net->heads[h].name);
    if (!what.length)
        return 0;
    dl_divergence_fail(t->e, t->progress.epoch, t->progress.epoch_step + 1, batch, what.data,
                       error);
    dl_text_free(&what);
    return -1;
}

static void count_step(dl_trainer *t, int64_t samples) {
    t->steps++;
    t->samples += samples;
    t->progress.step++;
}

/* Metrics are computed before the backward pass, which may overwrite the outputs. */
int dl_trainer_step(dl_trainer *t, const dl_batch *batch, double rate, dl_error *error) {
    dl_experiment *e = t->e;
    dl_model *model = &e->model;
    dl_progress *p = &t->progress;
    double from = dl_clock();
    dl_pass pass = {.batch = (int)batch->count,
                    .training = true,
                    .seed = (uint64_t)model->seed,
                    .epoch = (uint32_t)p->epoch,
                    .step = (uint32_t)batch->step,
                    .carry = true};
    dl_net_forward(&model->net, batch->x, &pass);
    dl_losses losses = dl_loss_backward(model, batch);
    dl_metric_sums_add(&p->sums, &t->outcome_buffers, model, batch, &losses);
    from = add_time(t, DL_PHASE_FORWARD, from);
    if (check_losses(t, &losses, batch, error))
        return -1;
    dl_net_backward(&model->net, &pass);
    from = add_time(t, DL_PHASE_BACKWARD, from);
    float scale = dl_update_clip(e, p);
    dl_update_step(&t->update, e, p, scale, rate);
    dl_update_constrain(e);
    dl_average_step(&t->average, e);
    add_time(t, DL_PHASE_UPDATE, from);
    count_step(t, batch->count);
    p->epoch_step++;
    return 0;
}

/* ---- the steps of an epoch ---- */

static bool interrupted(const dl_trainer *t) {
    return t->options.interrupted && *t->options.interrupted;
}

/* The remaining steps. 1: interrupted before the end. */
static int train_minibatches(dl_trainer *t, dl_error *error) {
    dl_experiment *e = t->e;
    dl_progress *p = &t->progress;
    int64_t steps = dl_loader_steps(t->train);
    int before = error->count;
    double from = dl_clock();
    dl_loader_start(t->train, dl_model_order(&e->model, true), (uint64_t)e->model.seed,
                    (uint32_t)p->epoch, p->epoch_step);
    dl_update_begin(&t->update, e, p->epoch, steps);
    if (!p->epoch_step) /* else the net has the states of the preceding batch */
        dl_net_begin(&e->model.net);
    t->rate = dl_update_rate(e, p, steps, 0);
    for (const dl_batch *batch; (batch = dl_loader_next(t->train, error)); from = dl_clock()) {
        add_time(t, DL_PHASE_DATA, from);
        if (dl_trainer_step(t, batch, dl_update_rate(e, p, steps, batch->step), error) ||
            send_event(t, (dl_event){.kind = DL_EVENT_STEP}, error))
            return -1;
        if (interrupted(t) && p->epoch_step < steps)
            return 1;
    }
    if (error->count > before)
        return -1;
    return dl_divergence_check(e, p, t->train, error);
}

/* One iteration of a full-batch optimizer is an epoch, evaluated at the new weights and without
   test-time augmentation, as the objective is. */
static int train_full_batch(dl_trainer *t, dl_error *error) {
    dl_experiment *e = t->e;
    dl_progress *p = &t->progress;
    int before = error->count;
    double from = dl_clock();
    t->rate = dl_full_batch_iterate(&t->full_batch, p->step + 1);
    from = add_time(t, DL_PHASE_UPDATE, from);
    dl_metric_sums_close(&p->sums); /* dl_evaluate_plain reopens them */
    if (error->count > before || dl_evaluate_plain(&e->model, t->train, &p->sums, error))
        return -1;
    add_time(t, DL_PHASE_FORWARD, from);
    count_step(t, p->sums.rows);
    p->epoch_step = 1;
    if (isfinite(dl_loss_mean(&p->sums.losses.net)))
        return dl_divergence_check(e, p, t->train, error);
    dl_loader_start(t->train, dl_model_order(&e->model, false), 0, 0, 0);
    return dl_divergence_fail(e, p->epoch, 1, dl_loader_next(t->train, error), "the loss", error);
}

/* ---- the end of an epoch ---- */

/* Whether an epoch can be saved without its validation, which is made after resuming: not if the
   weights of the epoch are in the average already, or a full-batch optimizer has gone on. */
static bool can_validate_later(const dl_trainer *t) {
    const dl_settings *s = &t->e->settings;
    return !t->e->optimizer->full_batch && !(s->average && s->average_kind == DL_AVERAGE_SWA);
}

/* 1: interrupted. */
static int evaluate_validation(dl_trainer *t, dl_row *row, dl_error *error) {
    dl_experiment *e = t->e;
    dl_metric_sums sums;
    int failed = dl_evaluate(&e->model, t->validation, &sums, NULL, NULL, error);
    if (!failed && interrupted(t) && can_validate_later(t)) {
        dl_metric_sums_close(&sums);
        return 1;
    }
    row->val_loss = dl_loss_mean(&sums.losses.net);
    for (int m = 0; m < e->model.metric_count && !failed; m++)
        row->val_metric[m] = dl_metric_sums_value(&sums, m);
    dl_metric_sums_close(&sums);
    if (failed)
        return -1;
    if (isfinite(row->val_loss))
        return 0;
    dl_loader_start(t->validation, dl_model_order(&e->model, false), 0, 0, 0);
    return dl_divergence_fail(e, t->progress.epoch, t->progress.epoch_step,
                              dl_loader_next(t->validation, error), "the validation loss", error);
}

/* 1: interrupted. */
static int evaluate_epoch(dl_trainer *t, dl_row *row, int64_t first_row, dl_error *error) {
    dl_experiment *e = t->e;
    double trained = dl_clock() - t->epoch_started;
    row->epoch = t->progress.epoch + 1;
    row->step = t->progress.step;
    row->rate = t->rate;
    row->samples_per_second = (double)(t->progress.sums.rows - first_row) / trained;
    row->train_loss = dl_loss_mean(&t->progress.sums.losses.net);
    for (int m = 0; m < e->model.metric_count; m++)
        row->train_metric[m] = dl_metric_sums_value(&t->progress.sums, m);
    for (int h = 0; h < e->model.net.head_count; h++)
        row->train_head[h] = dl_loss_mean(&t->progress.sums.losses.head[h]);
    row->train_objective = row->train_loss + dl_update_penalty(&t->update, e);
    for (int h = 0; h < e->model.net.head_count; h++)
        row->train_objective += e->model.net.heads[h].weight * row->train_head[h];
    memcpy(row->phase, t->phase, sizeof t->phase);
    if (dl_average_end_epoch(&t->average, e, t->train, t->progress.epoch, error))
        return -1;
    int status = t->validation ? evaluate_validation(t, row, error) : 0;
    row->seconds = dl_clock() - t->epoch_started;
    return status;
}

/* The next epoch: its counters, the best value so far, the schedule. */
static void advance_epoch(dl_trainer *t, const dl_row *row, bool *best) {
    const dl_settings *s = &t->e->settings;
    dl_progress *p = &t->progress;
    bool higher;
    double value = dl_monitor_value(t->e, s->monitor, row, &higher);
    if (s->mode != DL_MODE_AUTO)
        higher = s->mode == DL_MODE_MAX;
    *best = dl_improves(s, p->best, p->best_epoch, value, higher);
    p->epoch++;
    p->epoch_step = 0;
    dl_metric_sums_clear(&p->sums);
    dl_update_observe(t->e, p, dl_loader_steps(t->train), row);
    if (*best) {
        p->best = value;
        p->best_epoch = p->epoch;
    }
}

static int save(dl_trainer *t, dl_error *error) {
    dl_average_swap_in(&t->average, t->e);
    int result = send_event(t, (dl_event){.kind = DL_EVENT_SAVE}, error);
    dl_average_swap_out(&t->average, t->e);
    return result;
}

int dl_trainer_epoch(dl_trainer *t, dl_error *error) {
    dl_row row = {0};
    int64_t first_row = t->progress.sums.rows; /* of steps before dl_trainer_open */
    t->epoch_started = dl_clock();
    t->epoch_first_step = t->progress.epoch_step;
    memset(t->phase, 0, sizeof t->phase);
    int status = t->train_epoch(t, error);
    t->update_seconds += t->phase[DL_PHASE_UPDATE];
    if (!status)
        status = evaluate_epoch(t, &row, first_row, error);
    if (status)
        return status > 0 && save(t, error) ? -1 : status;
    dl_event event = {.kind = DL_EVENT_EPOCH, .row = &row};
    advance_epoch(t, &row, &event.best);
    dl_row_keep(t->e, &row, &t->progress.rows);
    int result = send_event(t, event, error);
    dl_average_swap_out(&t->average, t->e);
    return result;
}

bool dl_trainer_has_stopped_early(const dl_trainer *t) {
    return t->progress.epoch > 0 &&
           dl_has_stopped_early(&t->e->settings, t->progress.epoch, t->progress.best_epoch);
}

bool dl_trainer_is_done(const dl_trainer *t) {
    return t->progress.epoch >= dl_stop_epoch(&t->options.stop, &t->e->settings) ||
           dl_has_stopped_early(&t->e->settings, t->progress.epoch, t->progress.best_epoch);
}

/* ---- opening ---- */

static int open_loaders(dl_trainer *t, dl_error *error) {
    dl_model *model = &t->e->model;
    t->train = dl_loader_new(&model->data, DL_TRAIN, model->batch_size, error);
    if (!t->train)
        return -1;
    dl_loader_augment(t->train);
    if (model->data.balance == DL_BALANCE_OVERSAMPLE && dl_loader_balance(t->train, error))
        return -1;
    if (!model->data.part[DL_VALIDATION].count)
        return 0;
    t->validation = dl_loader_new(&model->data, DL_VALIDATION, model->batch_size, error);
    if (!t->validation)
        return -1;
    if (can_validate_later(t))
        dl_loader_end_on(t->validation, t->options.interrupted);
    return 0;
}

static int load(dl_trainer *t, const dl_checkpoint *c, dl_error *error) {
    dl_experiment *e = t->e;
    dl_progress *p = &t->progress;
    if (dl_transfer_check_resumed(e, &c->config, error) ||
        dl_checkpoint_load_net(c, &e->model.net, error) ||
        dl_training_state_load(&t->state, e, c, error))
        return -1;
    dl_average_swap_out(&t->average, e);
    if (p->epoch_step > dl_loader_steps(t->train) ||
        (p->epoch_step && c->batch_size != e->model.batch_size))
        return dl_fail(error, DL_USAGE,
                       "%s: stopped after step %lld of an epoch, which must be completed with the "
                       "same batch_size (%lld) and data",
                       t->options.resume, (long long)p->epoch_step, (long long)c->batch_size);
    return p->epoch_step ? dl_checkpoint_load_carried(c, &e->model.net, error) : 0;
}

static int resume(dl_trainer *t, dl_error *error) {
    char *path = dl_run_find_checkpoint(t->options.resume, true, error);
    if (!path)
        return -1;
    dl_checkpoint checkpoint;
    int result = dl_checkpoint_open(&checkpoint, path, error);
    if (!result)
        dl_config_changes(t->options.resume, &checkpoint.config, &t->edited);
    if (!result)
        result = load(t, &checkpoint, error);
    dl_checkpoint_close(&checkpoint);
    free(path);
    return result;
}

/* Weights are drawn, then scaled or loaded from another checkpoint. */
static int initialize_weights(dl_trainer *t, dl_error *error) {
    dl_experiment *e = t->e;
    dl_lsuv_prepare(e);
    dl_net_initialize(&e->model.net, (uint64_t)e->model.seed);
    dl_net_warm_up(&e->model.net);
    if (t->options.resume)
        return 0;
    if (dl_lsuv_scale(&t->lsuv, e, t->train, t->options.threads, error) ||
        dl_transfer_load(&t->transfer, e, error))
        return -1;
    dl_update_make_orthogonal(&e->model.net);
    return 0;
}

static int choose_method(dl_trainer *t, dl_error *error) {
    t->train_epoch = t->e->optimizer->full_batch ? train_full_batch : train_minibatches;
    if (!t->e->optimizer->full_batch)
        return 0;
    dl_update_begin(&t->update, t->e, 0, 1);
    return dl_full_batch_open(&t->full_batch, t->e, t->train, &t->update, error) ||
                   dl_full_batch_begin(&t->full_batch, t->options.resume, &t->note, error)
               ? -1
               : 0;
}

/* The mean loss of some batches at the initial weights, in training mode (batch statistics,
   dropout). Restores the running statistics. */
static int measure_initial_loss(dl_trainer *t, dl_error *error) {
    enum { ENOUGH = 512 };
    dl_model *model = &t->e->model;
    dl_losses losses = {0};
    int64_t rows = 0;
    int before = error->count;
    size_t bytes = sizeof *model->net.states * (size_t)model->net.state_count;
    float *states = xmalloc(bytes + 1);
    if (bytes)
        memcpy(states, model->net.states, bytes);
    t->expected_loss = dl_model_expected_loss(model);
    dl_loader_start(t->train, dl_model_order(model, true), (uint64_t)model->seed, 0, 0);
    dl_net_begin(&model->net);
    const dl_batch *batch = NULL;
    while (rows < ENOUGH && (batch = dl_loader_next(t->train, error))) {
        dl_pass pass = {.batch = (int)batch->count,
                        .training = true,
                        .carry = true,
                        .seed = (uint64_t)model->seed,
                        .step = (uint32_t)batch->step};
        dl_net_forward(&model->net, batch->x, &pass);
        dl_losses loss = dl_loss_forward(model, batch);
        dl_losses_add(&losses, &loss);
        rows += batch->count;
    }
    if (bytes)
        memcpy(model->net.states, states, bytes);
    free(states);
    t->initial_loss = dl_loss_mean(&losses.net);
    return error->count > before ? -1 : 0;
}

int dl_trainer_open(dl_trainer *t, dl_experiment *e, const dl_train_options *options,
                    dl_error *error) {
    *t = (dl_trainer){.e = e,
                      .options = *options,
                      .progress.best = NAN,
                      .expected_loss = NAN,
                      .initial_loss = NAN};
    if (dl_data_open(&e->model.data, error) || dl_experiment_build(e, options->threads, error))
        return -1;
    if (!options->untrained && e->settings.epochs > 0 && dl_model_check_trainable(&e->model, error))
        return -1;
    dl_update_open(&t->update, e);
    dl_average_open(&t->average, e);
    t->state = (dl_training_state){&t->progress, &t->update.optimizer_state, &t->average};
    dl_outcome_buffers_open(&t->outcome_buffers, &e->model);
    dl_metric_sums_open(&t->progress.sums, &e->model, false);
    if (open_loaders(t, error) || initialize_weights(t, error) || choose_method(t, error))
        return -1;
    if (options->resume ? resume(t, error) : measure_initial_loss(t, error))
        return -1;
    if (options->profile)
        dl_net_start_profile(&e->model.net);
    return 0;
}

void dl_trainer_close(dl_trainer *t) {
    dl_loader_free(t->train);
    dl_loader_free(t->validation);
    dl_outcome_buffers_close(&t->outcome_buffers);
    dl_metric_sums_close(&t->progress.sums);
    dl_transfer_free(&t->transfer);
    dl_full_batch_close(&t->full_batch);
    dl_text_free(&t->progress.rows);
    dl_text_free(&t->note);
    dl_text_free(&t->edited);
    dl_average_close(&t->average);
    dl_update_close(&t->update);
    *t = (dl_trainer){0};
}

/* ---- a whole training ---- */

static int train_all(dl_trainer *t, dl_train_result *result, dl_error *error) {
    if (send_event(t, (dl_event){.kind = DL_EVENT_STARTED}, error))
        return -1;
    if (dl_trainer_is_done(t) && !t->options.resume && save(t, error)) /* epochs = 0 */
        return -1;
    while (!dl_trainer_is_done(t) && !result->interrupted) {
        double started = dl_clock();
        int status = dl_trainer_epoch(t, error);
        if (status < 0)
            return -1;
        result->trained += !status;
        result->interrupted = interrupted(t) && !dl_trainer_is_done(t);
        result->seconds += dl_clock() - started;
    }
    return 0;
}

static dl_ending ending_of(const dl_trainer *t, const dl_train_result *result, int status,
                           const dl_error *error) {
    if (status)
        return error->code == DL_DIVERGED ? DL_ENDED_DIVERGED : DL_ENDED_FAILED;
    return result->interrupted                         ? DL_INTERRUPTED
           : result->stopped_early                     ? DL_EARLY_STOPPING
           : t->progress.epoch < t->e->settings.epochs ? DL_STOPPED
                                                       : DL_COMPLETED;
}

int dl_train(dl_experiment *e, const dl_train_options *options, const dl_listener *listeners,
             int listener_count, dl_train_result *result, dl_error *error) {
    dl_trainer t;
    *result = (dl_train_result){0};
    int status = dl_trainer_open(&t, e, options, error);
    t.listeners = listeners;
    t.listener_count = listener_count;
    if (!status) {
        status = train_all(&t, result, error);
        result->epochs = t.progress.epoch;
        result->stopped_early = dl_trainer_has_stopped_early(&t);
        result->best_epoch = t.progress.best_epoch;
        result->best = t.progress.best;
        dl_event end = {.kind = DL_EVENT_ENDED, .ending = ending_of(&t, result, status, error)};
        status = send_event(&t, end, error) ? -1 : status;
    }
    dl_trainer_close(&t);
    return status;
}
