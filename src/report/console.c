/* SPDX-License-Identifier: MIT */
#include "report/console.h"

#include <math.h>

#include "inspect/profile.h"
#include "report/config_warnings.h"
#include "report/report.h"

/* Where a training pass differs from others (batch statistics, dropout), it is the former's. */
static void report_first_loss(dl_terminal *terminal, const dl_trainer *t) {
    const dl_net *net = &t->e->model.net;
    bool varies = false;
    for (int i = 0; i < net->layer_count; i++)
        varies |= net->layers[i].varies;
    const char *mode = varies ? ", in training mode" : "";
    if (isnan(t->expected_loss))
        dl_say(terminal, "loss        %.4f observed before training%s", t->initial_loss, mode);
    else
        dl_say(terminal, "loss        %.4f expected before training, %.4f observed%s",
               t->expected_loss, t->initial_loss, mode);
}

static void report_resumed(dl_terminal *terminal, const dl_trainer *t) {
    if (t->edited.length)
        dl_say(terminal,
               "warning     %s/config.cfg differs from the checkpoint, whose values are used: %s "
               "(change them with --set)",
               t->options.resume, t->edited.data);
    if (t->progress.epoch_step)
        dl_say(terminal, "resumed     after epoch %lld and %lld of %lld steps of the next one",
               (long long)t->progress.epoch, (long long)t->progress.epoch_step,
               (long long)dl_loader_steps(t->train));
    else
        dl_say(terminal, "resumed     after epoch %lld of %lld", (long long)t->progress.epoch,
               (long long)t->e->settings.epochs);
}

static void report_memory(dl_terminal *terminal, const dl_trainer *t) {
    int64_t batches = dl_loader_bytes(t->train);
    int64_t vectors = t->update.optimizer_state.vector_count + t->average.wanted;
    if (t->validation)
        batches += dl_loader_bytes(t->validation);
    dl_report_memory(terminal, t->e,
                     vectors * t->e->model.net.weight_count * (int64_t)sizeof(float) +
                         t->full_batch.bytes,
                     batches);
}

void dl_console_report_start(dl_terminal *terminal, const dl_trainer *t) {
    const dl_experiment *e = t->e;
    dl_report_data(terminal, e);
    dl_report_files(terminal, &e->model.data, 20);
    if (!t->options.resume) {
        dl_report_warnings(terminal, e);
        dl_report_biases(terminal, e);
    }
    dl_report_network(terminal, e);
    report_memory(terminal, t);
    if (t->note.length)
        dl_say(terminal, "warning     %s", t->note.data);
    dl_report_transfer(terminal, &t->transfer);
    dl_report_frozen(terminal, e);
    dl_report_lsuv(terminal, &t->lsuv);
    dl_report_average(terminal, e);
    dl_report_config_warnings(terminal, e, dl_loader_steps(t->train));
    if (t->options.resume)
        report_resumed(terminal, t);
    else
        report_first_loss(terminal, t);
}

static void draw_bar(dl_terminal *terminal, const dl_trainer *t) {
    const dl_model *model = &t->e->model;
    const dl_metric_sums *sums = &t->progress.sums;
    if (!dl_terminal_bar_due(terminal))
        return;
    int64_t steps = dl_loader_steps(t->train), done = t->progress.epoch_step;
    char metric[32] = "", left[32];
    double elapsed = dl_clock() - t->epoch_started, run = (double)(done - t->epoch_first_step);
    int shown = 0;
    while (shown < model->metric_count && !dl_metric_in_training(model->metrics[shown]))
        shown++;
    if (shown < model->metric_count)
        dl_report_metric(metric, model->metrics[shown], dl_metric_sums_value(sums, shown));
    dl_text line = {0};
    dl_text_add(&line, "epoch %lld/%lld  loss %.4f  %s %s  %s left",
                (long long)t->progress.epoch + 1, (long long)t->e->settings.epochs,
                dl_loss_mean(&sums->losses.net),
                shown < model->metric_count ? model->metrics[shown]->name : "", metric,
                dl_text_seconds(left, run > 0 ? elapsed / run * (double)(steps - done) : INFINITY));
    dl_terminal_bar(terminal, (double)done / (double)steps, line.data);
    dl_text_free(&line);
}

/* A screen shows at most ten rows per second. */
static bool is_shown(dl_console *c, const dl_trainer *t) {
    double now = dl_clock();
    if (c->terminal->is_screen && now - c->shown < 0.1 && !dl_trainer_is_done(t))
        return false;
    c->shown = now;
    return true;
}

int dl_console_on_event(void *console, const dl_event *event, dl_error *error) {
    dl_console *c = console;
    const dl_trainer *t = event->trainer;
    switch (event->kind) {
    case DL_EVENT_STARTED:
        dl_console_report_start(c->terminal, t);
        if (!dl_trainer_is_done(t))
            dl_report_heading(c->terminal, t->e);
        break;
    case DL_EVENT_STEP:
        draw_bar(c->terminal, t);
        break;
    case DL_EVENT_EPOCH:
        dl_report_row(c->terminal, t->e, event->row, event->best, is_shown(c, t));
        break;
    case DL_EVENT_ENDED:
        if (!error->count)
            c->peak_operations = dl_profile_report(c->terminal, &t->e->model, t->steps, t->samples,
                                                   t->update_seconds);
        break;
    case DL_EVENT_SAVE:
        break;
    }
    return 0;
}
