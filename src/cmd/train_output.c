/* SPDX-License-Identifier: MIT */
#include "cmd/train_output.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/plot.h"
#include "cmd/common.h"
#include "inspect/diagnose.h"
#include "report/report.h"
#include "run/history.h"

static void add_column(void *object, const dl_measurement *column) {
    json_object_set_new(object, column->name,
                        column->decimals ? cmd_json_number(column->value)
                                         : json_integer((json_int_t)column->value));
}

int train_print_json_event(void *context, const dl_event *event, dl_error *error) {
    (void)context;
    (void)error;
    if (event->kind != DL_EVENT_EPOCH)
        return 0;
    json_t *object = json_pack("{s:s}", "event", "epoch");
    dl_row_visit(event->trainer->e, event->row, add_column, object);
    cmd_print_json(object, JSON_COMPACT);
    return 0;
}

void train_print_end(const dl_experiment *e, const dl_train_result *r, const char *run,
                     double peak_operations) {
    json_t *object =
        json_pack("{s:s, s:o, s:I, s:b, s:b, s:s, s:I, s:o, s:o, s:o, s:I}", "event", "end", "run",
                  cmd_json_string(run), "epochs", (json_int_t)r->epochs, "interrupted",
                  r->interrupted, "stopped_early", r->stopped_early, "monitor", e->settings.monitor,
                  "best_epoch", (json_int_t)r->best_epoch, "best", cmd_json_number(r->best),
                  "seconds", cmd_json_number(r->seconds), "peak_memory_bytes",
                  json_integer((json_int_t)dl_memory_peak()), "operations_per_sample",
                  (json_int_t)e->model.net.training_operations);
    if (peak_operations > 0)
        json_object_set_new(object, "peak_operations_per_second", cmd_json_number(peak_operations));
    cmd_print_json(object, JSON_COMPACT);
}

/* Plots the losses on a screen; an unreadable history is ignored. */
static void plot_losses(dl_terminal *t, const char *folder) {
    enum { LINES = 7, WIDEST = 79, NARROWEST = 44, MOST_CURVES = 2 };
    int width = dl_terminal_columns(t) - 1;
    if (t->quiet || !t->is_screen || width < NARROWEST)
        return;
    char *path = dl_path_join(folder, "history.csv");
    dl_history history = {0};
    dl_error ignored = {0};
    if (!dl_history_read(&history, path, &ignored)) {
        dl_curve curves[MOST_CURVES] = {
            {"train loss", dl_history_column(&history, "train_loss"), true},
            {"val loss", dl_history_column(&history, "val_loss"), false}};
        int count = curves[1].value ? 2 : curves[0].value ? 1 : 0;
        curves[0].dashed = count > 1;
        dl_text text = dl_plot(curves, count, history.rows, width < WIDEST ? width : WIDEST, LINES,
                               dl_terminal_is_utf8());
        dl_terminal_show(t, dl_text_get(&text));
        dl_text_free(&text);
    }
    dl_history_free(&history);
    dl_error_clear(&ignored);
    free(path);
}

int train_line_length(const char *text, int columns) {
    int length = (int)strlen(text), fitting = dl_text_fitting(text, length, columns), end = fitting;
    while (fitting < length && end > 0 && text[end] != ' ')
        end--;
    return end > 0 ? end : fitting;
}

/* A sentence in lines of 80 columns, after its label. */
static void say_wrapped(dl_terminal *t, const char *label, const char *text) {
    while (*text) {
        int end = train_line_length(text, 80 - 12);
        dl_say(t, "%-11s %.*s", label, end, text);
        label = "";
        text += end;
        text += strspn(text, " ");
    }
}

static void report_diagnosis(dl_terminal *t, const char *run) {
    dl_symptoms symptoms;
    dl_diagnosis found[DL_DIAGNOSES];
    dl_error ignored = {0};
    int count = dl_symptoms_read(&symptoms, run, &ignored) ? 0 : dl_diagnose(&symptoms, found);
    for (int i = 0; i < count; i++) {
        if (!strcmp(found[i].kind, "too_short"))
            continue;
        say_wrapped(t, i ? "" : "diagnosis", found[i].text);
        say_wrapped(t, "", found[i].advice);
    }
    dl_error_clear(&ignored);
    dl_symptoms_free(&symptoms);
}

static void report_completed(dl_terminal *t, const dl_train_result *r) {
    char seconds[32], memory[32];
    dl_text line = {0};
    dl_text_add(&line, "done        %s%lld epoch%s", r->stopped_early ? "stopped early after " : "",
                (long long)r->epochs, r->epochs == 1 ? "" : "s");
    if (!r->trained)
        dl_text_add(&line, ": nothing left to train (%s continues)",
                    r->stopped_early ? "a larger early_stopping.patience" : "--epochs N");
    else if (r->trained < r->epochs)
        dl_text_add(&line, ", %lld of them since resuming,", (long long)r->trained);
    if (r->trained)
        dl_text_add(&line, " in %s, peak memory %s", dl_text_seconds(seconds, r->seconds),
                    dl_text_bytes(memory, dl_memory_peak()));
    dl_say(t, "%s", line.data);
    dl_text_free(&line);
}

void train_report_end(dl_terminal *t, const char *program, const dl_experiment *e,
                      const dl_train_result *r, const char *run) {
    char *self = cmd_quoted(program), *tester = cmd_beside(program, "dltest");
    char *folder = cmd_quoted(run);
    if (r->interrupted) {
        dl_say(t, "stopped     saved; resume with: %s --resume %s", self, folder);
    } else if (!r->stopped_early && r->epochs < e->settings.epochs) { /* --stop-after */
        dl_say(t, "stopped     after epoch %lld of %lld; resume with: %s --resume %s",
               (long long)r->epochs, (long long)e->settings.epochs, self, folder);
    } else {
        if (r->trained)
            plot_losses(t, run);
        report_completed(t, r);
        if (r->best_epoch)
            dl_say(t, "best        %s %.6g in epoch %lld: %s/best.safetensors", e->settings.monitor,
                   r->best, (long long)r->best_epoch, run);
        if (r->trained)
            report_diagnosis(t, run);
        if (r->epochs)
            dl_say(t, "next        %s %s", tester, folder);
    }
    free(self);
    free(tester);
    free(folder);
}
