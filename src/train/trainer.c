/* SPDX-License-Identifier: MIT */
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/activation_stats.h"
#include "inspect/profile.h"
#include "math/vector.h"
#include "report/report.h"
#include "train/config_warnings.h"
#include "train/divergence.h"
#include "train/full_batch.h"
#include "train/lsuv.h"
#include "train/monitor.h"
#include "train/recorder.h"
#include "train/training_state.h"
#include "train/transfer.h"

typedef struct {
    dl_experiment *e;
    const dl_train_options *options;
    dl_terminal *terminal;
    dl_recorder recorder;
    dl_loader *train, *validation;
    dl_judge judge;
    dl_update update;
    dl_whole whole; /* of an optimizer with `minimize` */
    dl_text note;   /* what it had to say of the problem */
    double share;   /* of the direction, that its last iteration has gone */
    dl_average average;
    dl_progress progress;
    dl_training_state state;
    dl_transfer transfer;
    dl_lsuv lsuv;
    double phase[DL_PHASES]; /* seconds of this epoch */
    double update_seconds;   /* of all epochs */
    int64_t steps, samples;  /* of this training */
    double shown;            /* when a row was shown last */
} trainer;

/* ---- building ---- */

static int build(trainer *t, dl_error *error) {
    dl_experiment *e = t->e;
    dl_update_open(&t->update, e);
    dl_average_open(&t->average, e);
    t->state = (dl_training_state){&t->progress, &t->update.remembered, &t->average};
    dl_judge_open(&t->judge, &e->model);
    dl_sums_open(&t->progress.sums, &e->model, false);
    t->train = dl_loader_new(&e->model.data, DL_TRAIN, e->model.batch_size, error);
    if (!t->train)
        return -1;
    dl_loader_augment(t->train);
    if (e->model.data.balance == DL_BALANCE_OVERSAMPLE && dl_loader_balance(t->train, error))
        return -1;
    if (e->optimizer->minimize)
        dl_update_begin(&t->update, e, 0, 1);
    if (e->optimizer->minimize && dl_whole_open(&t->whole, e, t->train, &t->update, error))
        return -1;
    if (!e->model.data.part[DL_VALIDATION].count)
        return 0;
    t->validation = dl_loader_new(&e->model.data, DL_VALIDATION, e->model.batch_size, error);
    return t->validation ? 0 : -1;
}

static void release(trainer *t) {
    dl_loader_free(t->train);
    dl_loader_free(t->validation);
    dl_judge_close(&t->judge);
    dl_sums_close(&t->progress.sums);
    dl_transfer_free(&t->transfer);
    dl_whole_close(&t->whole);
    dl_text_free(&t->note);
    dl_average_close(&t->average);
    dl_update_close(&t->update);
    dl_recorder_close(&t->recorder);
}

/* ---- before the first epoch ---- */

/* Weights are drawn, the loss of some batches is taken as they are. */
static int report_initial_loss(trainer *t, dl_error *error) {
    enum { ENOUGH = 512 };
    dl_experiment *e = t->e;
    dl_losses losses = {0};
    int64_t rows = 0;
    int before = error->count;
    dl_loader_start(t->train, dl_model_order(&e->model, true), (uint64_t)e->model.seed, 0, 0);
    dl_net_begin(&e->model.net);
    const dl_batch *batch = NULL;
    while (rows < ENOUGH && (batch = dl_loader_next(t->train, error))) {
        dl_pass pass = {.batch = (int)batch->count, .carry = true};
        dl_net_forward(&e->model.net, batch->x, &pass);
        dl_losses loss = dl_loss_forward(&e->model, batch);
        dl_losses_add(&losses, &loss);
        rows += batch->count;
    }
    if (error->count > before)
        return -1;
    double expected = t->recorder.facts.expected_loss =
        e->model.loss->initial(e->model.loss_self, &e->model.target, e->model.channels);
    t->recorder.facts.initial_loss = dl_loss_mean(&losses.net);
    if (isnan(expected))
        dl_say(t->terminal, "loss        %.4f observed before training", dl_loss_mean(&losses.net));
    else
        dl_say(t->terminal, "loss        %.4f expected before training, %.4f observed", expected,
               dl_loss_mean(&losses.net));
    return 0;
}

static int report_start(trainer *t, dl_error *error) {
    dl_experiment *e = t->e;
    int64_t batches = dl_loader_bytes(t->train);
    if (t->validation)
        batches += dl_loader_bytes(t->validation);
    dl_report_data(t->terminal, e);
    dl_report_cache(t->terminal, &e->model.data);
    if (!t->options->resume) {
        dl_report_warnings(t->terminal, e);
        dl_report_biases(t->terminal, e);
    }
    dl_report_network(t->terminal, e);
    dl_report_memory(t->terminal, e,
                     (t->update.remembered.vector_count + t->average.wanted) *
                             e->model.net.weight_count * (int64_t)sizeof(float) +
                         t->whole.bytes,
                     batches);
    if (t->note.length)
        dl_say(t->terminal, "warning     %s", t->note.data);
    dl_report_transfer(t->terminal, &t->transfer);
    dl_report_frozen(t->terminal, e);
    dl_report_lsuv(t->terminal, &t->lsuv);
    dl_report_average(t->terminal, e);
    dl_report_vain(t->terminal, e, dl_loader_steps(t->train));
    if (!t->options->resume)
        return report_initial_loss(t, error);
    if (t->progress.epoch_step)
        dl_say(t->terminal, "resumed     after epoch %lld and %lld of %lld steps of the next one",
               (long long)t->progress.epoch, (long long)t->progress.epoch_step,
               (long long)dl_loader_steps(t->train));
    else
        dl_say(t->terminal, "resumed     after epoch %lld of %lld", (long long)t->progress.epoch,
               (long long)e->settings.epochs);
    return 0;
}

/* ---- a step ---- */

static double lap(trainer *t, int phase, double from) {
    double now = dl_clock();
    t->phase[phase] += now - from;
    return now;
}

static int check_losses(trainer *t, const dl_losses *losses, const dl_batch *batch,
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

/* Metrics come before the backward pass, which may reuse the memory of the outputs. */
static int train_batch(trainer *t, const dl_batch *batch, double rate, dl_error *error) {
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
    dl_sums_add(&p->sums, &t->judge, model, batch, &losses);
    from = lap(t, DL_PHASE_FORWARD, from);
    if (check_losses(t, &losses, batch, error))
        return -1;
    dl_net_backward(&model->net, &pass);
    from = lap(t, DL_PHASE_BACKWARD, from);
    float scale = dl_update_clip(e, p);
    dl_update_step(&t->update, e, p, scale, rate);
    dl_update_constrain(e);
    dl_average_step(&t->average, e);
    lap(t, DL_PHASE_UPDATE, from);
    t->steps++;
    t->samples += batch->count;
    p->epoch_step++;
    p->step++;
    return 0;
}

/* ---- an epoch ---- */

static void draw_bar(trainer *t, double started, int64_t first_step) {
    const dl_experiment *e = t->e;
    if (!dl_terminal_bar_due(t->terminal))
        return;
    int64_t steps = dl_loader_steps(t->train), done = t->progress.epoch_step;
    char metric[32] = "", left[32];
    double elapsed = dl_clock() - started, made = (double)(done - first_step);
    int shown = 0;
    while (shown < e->model.metric_count && !dl_metric_of_steps(e->model.metrics[shown]))
        shown++;
    if (shown < e->model.metric_count)
        dl_report_metric(metric, e->model.metrics[shown], dl_sums_metric(&t->progress.sums, shown));
    dl_text line = {0};
    dl_text_add(
        &line, "epoch %lld/%lld  loss %.4f  %s %s  %s left", (long long)t->progress.epoch + 1,
        (long long)e->settings.epochs, dl_loss_mean(&t->progress.sums.losses.net),
        shown < e->model.metric_count ? e->model.metrics[shown]->name : "", metric,
        dl_text_seconds(left, made > 0 ? elapsed / made * (double)(steps - done) : INFINITY));
    dl_terminal_bar(t->terminal, (double)done / (double)steps, line.data);
    dl_text_free(&line);
}

static bool interrupted(const trainer *t) {
    return t->options->interrupted && *t->options->interrupted;
}

/* Every step of the epoch that is left. 1 if it was interrupted before its end. */
static int train_epoch(trainer *t, dl_error *error) {
    dl_experiment *e = t->e;
    double started = dl_clock(), from = started;
    int64_t first_step = t->progress.epoch_step;
    int before = error->count;
    const dl_batch *batch;
    dl_loader_start(t->train, dl_model_order(&e->model, true), (uint64_t)e->model.seed,
                    (uint32_t)t->progress.epoch, first_step);
    dl_update_begin(&t->update, e, t->progress.epoch, dl_loader_steps(t->train));
    if (!first_step) /* else the net has the states of the batch before */
        dl_net_begin(&e->model.net);
    while ((batch = dl_loader_next(t->train, error))) {
        lap(t, DL_PHASE_DATA, from);
        if (train_batch(t, batch,
                        dl_update_rate(e, &t->progress, dl_loader_steps(t->train), batch->step),
                        error))
            return -1;
        draw_bar(t, started, first_step);
        if (interrupted(t) && t->progress.epoch_step < dl_loader_steps(t->train))
            return 1;
        from = dl_clock();
    }
    if (error->count > before)
        return -1;
    return dl_divergence_check(e, &t->progress, t->train, error);
}

/* An iteration of an optimizer of the whole set is an epoch, measured where it has led. */
static int minimize_epoch(trainer *t, dl_error *error) {
    dl_experiment *e = t->e;
    dl_progress *p = &t->progress;
    int before = error->count;
    double from = dl_clock();
    t->share = dl_whole_iterate(&t->whole, p->step + 1);
    from = lap(t, DL_PHASE_UPDATE, from);
    dl_sums_close(&p->sums); /* the evaluation opens them anew */
    int views = e->model.data.augment.test_time;
    e->model.data.augment.test_time = DL_VIEWS_ONE; /* it is this that was minimized */
    int failed =
        error->count > before || dl_evaluate(&e->model, t->train, &p->sums, NULL, NULL, error);
    e->model.data.augment.test_time = views;
    if (failed)
        return -1;
    lap(t, DL_PHASE_FORWARD, from);
    t->steps++;
    t->samples += p->sums.rows;
    p->epoch_step = 1;
    p->step++;
    if (isfinite(dl_loss_mean(&p->sums.losses.net)))
        return dl_divergence_check(e, p, t->train, error);
    dl_loader_start(t->train, dl_model_order(&e->model, false), 0, 0, 0);
    return dl_divergence_fail(e, p->epoch, 1, dl_loader_next(t->train, error), "the loss", error);
}

static int measure_validation(trainer *t, dl_row *row, dl_error *error) {
    dl_experiment *e = t->e;
    dl_sums sums;
    int failed = dl_evaluate(&e->model, t->validation, &sums, NULL, NULL, error);
    row->val_loss = dl_loss_mean(&sums.losses.net);
    for (int m = 0; m < e->model.metric_count && !failed; m++)
        row->val_metric[m] = dl_sums_metric(&sums, m);
    dl_sums_close(&sums);
    if (failed)
        return -1;
    if (isfinite(row->val_loss))
        return 0;
    dl_loader_start(t->validation, dl_model_order(&e->model, false), 0, 0, 0);
    return dl_divergence_fail(e, t->progress.epoch, t->progress.epoch_step,
                              dl_loader_next(t->validation, error), "the validation loss", error);
}

/* first_row: how many rows of the epoch an earlier training has seen. */
static int measure(trainer *t, dl_row *row, double started, int64_t first_row, dl_error *error) {
    dl_experiment *e = t->e;
    double trained = dl_clock() - started;
    row->epoch = t->progress.epoch + 1;
    row->step = t->progress.step;
    row->rate = e->optimizer->minimize
                    ? t->share
                    : dl_update_rate(e, &t->progress, dl_loader_steps(t->train), 0);
    row->samples_per_second = (double)(t->progress.sums.rows - first_row) / trained;
    row->train_loss = dl_loss_mean(&t->progress.sums.losses.net);
    for (int m = 0; m < e->model.metric_count; m++)
        row->train_metric[m] = dl_sums_metric(&t->progress.sums, m);
    for (int h = 0; h < e->model.net.head_count; h++)
        row->train_head[h] = dl_loss_mean(&t->progress.sums.losses.head[h]);
    row->train_objective = row->train_loss + dl_update_penalty(&t->update, e);
    for (int h = 0; h < e->model.net.head_count; h++)
        row->train_objective += e->model.net.heads[h].weight * row->train_head[h];
    memcpy(row->phase, t->phase, sizeof t->phase);
    if (dl_average_end_epoch(&t->average, e, t->train, t->progress.epoch, error) ||
        (t->validation && measure_validation(t, row, error)))
        return -1;
    row->seconds = dl_clock() - started;
    return 0;
}

static bool has_stopped(const trainer *t) {
    return dl_has_stopped_early(&t->e->settings, t->progress.epoch, t->progress.best_epoch);
}

static bool is_over(const trainer *t) {
    return t->progress.epoch >= dl_stop_epoch(&t->options->stop, &t->e->settings) || has_stopped(t);
}

/* On a screen, epochs of milliseconds are shown ten times a second. */
static bool is_shown(trainer *t) {
    double now = dl_clock();
    if (t->terminal->is_screen && now - t->shown < 0.1 && !is_over(t))
        return false;
    t->shown = now;
    return true;
}

/* The end of an epoch: measured, written down, saved. */
static int finish_epoch(trainer *t, double started, int64_t first_row, dl_error *error) {
    dl_experiment *e = t->e;
    dl_progress *p = &t->progress;
    dl_row row = {0};
    if (measure(t, &row, started, first_row, error))
        return -1;
    bool higher;
    double value = dl_monitor_value(e, e->settings.monitor, &row, &higher);
    if (e->settings.mode != DL_MODE_AUTO)
        higher = e->settings.mode == DL_MODE_MAX;
    bool best = dl_improves(&e->settings, p->best, p->best_epoch, value, higher);
    p->epoch++;
    p->epoch_step = 0;
    dl_sums_clear(&p->sums);
    dl_update_observe(e, p, dl_loader_steps(t->train), &row);
    if (best) {
        p->best = value;
        p->best_epoch = p->epoch;
    }
    int result = dl_recorder_add_epoch(&t->recorder, e, &row, &t->state, best, error);
    dl_average_hide(&t->average, e);
    if (result)
        return -1;
    dl_report_row(t->terminal, e, &row, best, is_shown(t));
    if (t->options->on_row)
        t->options->on_row(t->options->context, e, &row);
    return 0;
}

static int save_amid_epoch(trainer *t, dl_error *error) {
    dl_average_show(&t->average, t->e);
    int result = dl_recorder_save(&t->recorder, t->e, &t->state, error);
    dl_average_hide(&t->average, t->e);
    return result;
}

static int train_all(trainer *t, dl_train_result *result, dl_error *error) {
    dl_progress *p = &t->progress;
    if (!is_over(t))
        dl_report_heading(t->terminal, t->e);
    else if (!t->options->resume && save_amid_epoch(t, error)) /* epochs = 0 */
        return -1;
    while (!is_over(t) && !result->interrupted) {
        double started = dl_clock();
        int64_t first_row = p->sums.rows;
        memset(t->phase, 0, sizeof t->phase);
        int status = t->e->optimizer->minimize ? minimize_epoch(t, error) : train_epoch(t, error);
        if (status < 0 || (!status && finish_epoch(t, started, first_row, error)))
            return -1;
        if (status > 0 && save_amid_epoch(t, error))
            return -1;
        result->trained += !status;
        result->interrupted = interrupted(t) && !is_over(t);
        result->seconds += dl_clock() - started;
        t->update_seconds += t->phase[DL_PHASE_UPDATE];
    }
    result->peak_operations =
        dl_profile_report(t->terminal, &t->e->model, t->steps, t->samples, t->update_seconds);
    return dl_keeper_flush(&t->recorder.keeper, error);
}

/* What a training that failed has reached: its last whole epoch. */
static void keep_what_there_is(trainer *t) {
    dl_error ignored = {0}; /* the disk may be what has failed */
    dl_keeper_flush(&t->recorder.keeper, &ignored);
    dl_error_clear(&ignored);
    if (t->recorder.keeper.written > 0)
        dl_say(t->terminal, "kept        the checkpoints of the epochs before, in %s",
               t->recorder.run.folder);
}

static int load(trainer *t, const dl_checkpoint *c, dl_error *error) {
    dl_experiment *e = t->e;
    dl_progress *p = &t->progress;
    if (dl_transfer_check_resumed(e, &c->config, error) ||
        dl_checkpoint_load_net(c, &e->model.net, error) ||
        dl_training_state_load(&t->state, e, c, error))
        return -1;
    dl_average_hide(&t->average, e);
    if (p->epoch_step > dl_loader_steps(t->train) ||
        (p->epoch_step && c->batch_size != e->model.batch_size))
        return dl_fail(error, DL_USAGE,
                       "%s: stopped after step %lld of an epoch, which must be finished with the "
                       "same batch_size (%lld) and data",
                       t->options->resume, (long long)p->epoch_step, (long long)c->batch_size);
    return p->epoch_step ? dl_checkpoint_load_carried(c, &e->model.net, error) : 0;
}

static int resume(trainer *t, dl_error *error) {
    char *path = dl_run_find_checkpoint(t->options->resume, true, error);
    if (!path)
        return -1;
    dl_checkpoint checkpoint;
    int result = dl_checkpoint_open(&checkpoint, path, error);
    if (!result)
        result = load(t, &checkpoint, error);
    dl_checkpoint_close(&checkpoint);
    free(path);
    return result;
}

/* What a dry run is asked to show beside the start. */
static int look(trainer *t, dl_error *error) {
    const dl_train_options *o = t->options;
    if (o->activations && dl_look(t->terminal, &t->e->model, t->train, error))
        return -1;
    if (o->gradients && dl_look_gradients(t->terminal, &t->e->model, t->train, error))
        return -1;
    if (!o->checkup)
        return 0;
    return o->find_rate ? dl_checkup_find_rate(o->checkup, t->e, error)
                        : dl_checkup_run(o->checkup, t->e, t->train, error);
}

static int prepare(trainer *t, dl_error *error) {
    const dl_train_options *o = t->options;
    if (build(t, error))
        return -1;
    dl_lsuv_prepare(t->e);
    dl_net_initialize(&t->e->model.net, (uint64_t)t->e->model.seed);
    dl_net_warm_up(&t->e->model.net);
    if (!o->resume && dl_lsuv_scale(&t->lsuv, t->e, t->train, o->threads, error))
        return -1;
    if (o->profile)
        dl_net_start_profile(&t->e->model.net);
    if (o->resume ? resume(t, error) : dl_transfer_take(&t->transfer, t->e, error))
        return -1;
    if (!o->resume)
        dl_update_make_orthogonal(&t->e->model.net);
    if (t->e->optimizer->minimize && dl_whole_begin(&t->whole, o->resume, &t->note, error))
        return -1;
    if (o->dry_run)
        return report_start(t, error) || look(t, error) ? -1 : 0;
    dl_run_place place = {o->out, o->force, o->resume};
    if (dl_recorder_open(&t->recorder, t->terminal, t->e, &place, t->progress.epoch, error))
        return -1;
    return report_start(t, error) || dl_recorder_write_facts(&t->recorder, error) ? -1 : 0;
}

int dl_train(dl_experiment *e, const dl_train_options *options, dl_terminal *terminal,
             dl_train_result *result, dl_error *error) {
    trainer t = {.e = e, .options = options, .terminal = terminal};
    t.progress.best = NAN;
    *result = (dl_train_result){0};
    int status = dl_data_open(&e->model.data, error);
    if (!status)
        status = dl_experiment_build(e, options->threads, error);
    if (!status && (!options->dry_run || options->checkup) && e->settings.epochs > 0)
        status = dl_model_check_trainable(&e->model, error);
    if (!status)
        status = prepare(&t, error);
    if (!status && !options->dry_run && (status = train_all(&t, result, error)))
        keep_what_there_is(&t);
    dl_ending ending = result->interrupted                       ? DL_INTERRUPTED
                       : t.progress.epoch > 0 && has_stopped(&t) ? DL_EARLY_STOPPING
                       : t.progress.epoch < e->settings.epochs   ? DL_STOPPED
                                                                 : DL_COMPLETED;
    if (dl_recorder_end(&t.recorder, ending, error))
        status = -1;
    result->folder = t.recorder.run.folder ? xstrdup(t.recorder.run.folder) : NULL;
    result->epochs = t.progress.epoch;
    result->stopped_early = t.progress.epoch > 0 && has_stopped(&t);
    result->best_epoch = t.progress.best_epoch;
    result->best = t.progress.best;
    release(&t);
    return status;
}
