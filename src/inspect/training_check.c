/* SPDX-License-Identifier: MIT */
#include "inspect/training_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/activation_stats.h"

const char *const dl_verdict_names[] = {"ok", "FAILS", "skipped", "WARNS"};

void dl_checkup_add(dl_checkup *c, const char *check, dl_verdict verdict, const char *format, ...) {
    dl_text text = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&text, format, arguments);
    va_end(arguments);
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 16;
        c->list = xrealloc(c->list, sizeof *c->list * (size_t)c->room);
    }
    c->list[c->count] = (dl_checked){check, verdict, text.data};
    if (c->on_checked)
        c->on_checked(&c->list[c->count]);
    c->count++;
}

void dl_checkup_too_large(dl_checkup *c, const char *check, int steps, int64_t rows) {
    const char *s = rows == 1 ? "" : "s";
    dl_checkup_add(c, check, DL_CHECK_SKIPPED,
                   "the network is too large: there is time for only %d step%s of %lld sample%s",
                   steps, steps == 1 ? "" : "s", (long long)rows, s);
}

bool dl_checkup_fails(const dl_checkup *c) {
    for (int i = 0; i < c->count; i++)
        if (c->list[i].verdict == DL_CHECK_FAILS)
            return true;
    return false;
}

void dl_checkup_free(dl_checkup *c) {
    for (int i = 0; i < c->count; i++)
        free(c->list[i].text);
    free(c->list);
    *c = (dl_checkup){0};
}

/* ---- the loss at the beginning ---- */

/* The outputs of a freshly initialized network vary. In 600 small networks (Glorot and He weights,
   normalized inputs), no class loss was more than 2 above the expected one (the effect of logits
   with variance 4), and no squared loss more than 5 times as high. */
static double largest_initial_loss(const dl_model *model, double expected) {
    static const double NATS = 2.5, TIMES = 7, SLACK = 0.05;
    bool nats = model->target.classes && !model->loss->least_squares;
    return nats ? expected + NATS : TIMES * expected + SLACK;
}

static void check_initial_loss(dl_checkup *c, dl_trial *t, const dl_trial_rows *rows) {
    static const double LEAST = 1.0 / 3, SLACK = 0.05;
    const dl_experiment *e = t->e;
    dl_trial_begin(t, true);
    double sum = 0, expected = dl_model_expected_loss(&e->model);
    int64_t count = 0;
    int64_t most = dl_trial_steps(t, 1, 512, 1);
    while (count < rows->count && (!count || count < most)) {
        dl_batch batch = dl_trial_batch(rows, e, count, rows->count);
        sum += dl_trial_loss(t, &batch, false) * (double)batch.count;
        count += batch.count;
    }
    double observed = sum / (double)count;
    if (!isfinite(observed))
        dl_checkup_add(c, "initial_loss", DL_CHECK_FAILS,
                       "it is not finite before the first step: scale the inputs "
                       "(data.normalize), or the weights (init)");
    else if (isnan(expected))
        dl_checkup_add(c, "initial_loss", DL_CHECK_SKIPPED, "%.4g; the expected one is unknown",
                       observed);
    else if (observed > largest_initial_loss(&e->model, expected) ||
             observed < LEAST * expected - SLACK)
        dl_checkup_add(c, "initial_loss", DL_CHECK_FAILS,
                       "%.4g, but %.4g is expected: scale the inputs (data.normalize), the "
                       "targets (data.normalize_target) or the initial weights (init)",
                       observed, expected);
    else
        dl_checkup_add(c, "initial_loss", DL_CHECK_OK, "%.4g, expected %.4g", observed, expected);
}

static void check_penalty(dl_checkup *c, dl_trial *t) {
    dl_trial_begin(t, false);
    if (!dl_experiment_penalized(t->e)) {
        dl_checkup_add(c, "regularization", DL_CHECK_SKIPPED, "no l1, no l2");
        return;
    }
    double penalty = dl_update_penalty(&t->update, t->e);
    if (penalty > 0 || t->e->model.net.head_count)
        dl_checkup_add(c, "regularization", DL_CHECK_OK, "adds %.4g to the loss", penalty);
    else
        dl_checkup_add(c, "regularization", DL_CHECK_FAILS,
                       "adds nothing to the loss: all weights it applies to are frozen or zero; "
                       "remove it, or make them trainable");
}

/* ---- the data ---- */

/* Rows that are also in another part. Real data sets have a few percent of them: these are
   reported, and a tenth of the held-out rows fails. */
static void check_duplicates(dl_checkup *c, const dl_experiment *e) {
    static const double MOST_NUMBERS = 1e9; /* more take minutes */
    dl_findings findings = {0};
    int64_t size = dl_shape_size(e->model.data.schema.input);
    int64_t held = e->model.data.part[DL_VALIDATION].count + e->model.data.part[DL_TEST].count,
            count = 0;
    const char *text = NULL;
    if (!held) {
        dl_checkup_add(c, "duplicates", DL_CHECK_SKIPPED, "there is only the training part");
        return;
    }
    if ((double)(e->model.data.part[DL_TRAIN].count + held) * (double)size > MOST_NUMBERS) {
        dl_checkup_add(c, "duplicates", DL_CHECK_SKIPPED,
                       "%lld rows of %lld numbers would take long: dlinspect data checks them all",
                       (long long)(e->model.data.part[DL_TRAIN].count + held), (long long)size);
        return;
    }
    dl_check_rows(&findings, &e->model.data);
    for (int i = 0; i < findings.count; i++)
        if (!strcmp(findings.list[i].check, "duplicates_across") ||
            !strcmp(findings.list[i].check, "passages_across")) {
            count += findings.list[i].count;
            text = findings.list[i].text;
        }
    count = count < held ? count : held;
    bool many = (double)count > 0.1 * (double)held;
    if (count)
        dl_checkup_add(c, "duplicates", many ? DL_CHECK_FAILS : DL_CHECK_OK,
                       "%s; %.1f %% of the held-out rows%s", text,
                       100 * (double)count / (double)held,
                       many ? ": metrics there are too good; remove them from one part (see "
                              "dlinspect data)"
                            : "");
    else
        dl_checkup_add(c, "duplicates", DL_CHECK_OK, "no row is in two parts");
    dl_findings_free(&findings);
}

/* A column that is always 0 is the margin of an image, or a rare category; any other constant is a
   useless feature. */
static void check_constants(dl_checkup *c, dl_trial *t, const dl_trial_rows *rows) {
    dl_experiment *e = t->e;
    int64_t size = dl_shape_size(e->model.data.schema.input), found = 0, first = 0;
    if (e->model.data.schema.input.rank != 1 || rows->count < 32) {
        dl_checkup_add(c, "constants", DL_CHECK_SKIPPED, "only for columns, with 32 rows or more");
        return;
    }
    float *x = memcpy(xmalloc(sizeof *x * (size_t)(rows->count * size)), rows->x,
                      sizeof *x * (size_t)(rows->count * size));
    dl_denormalize(&e->model.data.input, x, rows->count, size);
    for (int64_t k = size - 1; k >= 0; k--) {
        bool same = fabsf(x[k]) > 1e-6f;
        for (int64_t i = 1; same && i < rows->count; i++)
            same = fabsf(x[i * size + k] - x[k]) <= 1e-6f * fabsf(x[k]);
        found += same;
        first = same ? k : first;
    }
    if (found)
        dl_checkup_add(
            c, "constants", DL_CHECK_FAILS,
            "%lld of %lld inputs are constant, for example input %lld, always %g: remove "
            "them, or find out why",
            (long long)found, (long long)size, (long long)first, (double)x[first]);
    else
        dl_checkup_add(c, "constants", DL_CHECK_OK, "every input varies, or is zero");
    free(x);
}

/* ---- the layers ---- */

static void check_norms(dl_checkup *c, const dl_experiment *e) {
    const dl_net *net = &e->model.net;
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *layer = &net->layers[i];
        bool statistics = layer->varies && layer->state_count && layer->in[0].shape.rank == 1;
        if (statistics && e->model.batch_size == 1)
            dl_checkup_add(c, "batch_of_one", DL_CHECK_FAILS,
                           "%s: \"%s\" computes its statistics over batches of one sample: its "
                           "output is constant (use a larger batch_size)",
                           layer->where, layer->name);
        int by = dl_net_bias_canceled_by(net, i);
        if (by >= 0)
            dl_checkup_add(c, "bias", DL_CHECK_OK,
                           "%s: the bias of \"%s\" has no effect before \"%s\" (bias = false)",
                           layer->where, layer->name, net->layers[by].name);
    }
}

static int check_units(dl_checkup *c, dl_trial *t, dl_loader *train, dl_error *error) {
    dl_text bad = {0};
    dl_trial_begin(t, false);
    if (dl_activation_stats_find_bad(&t->e->model, train, dl_trial_steps(t, 1, 512, 1), &bad,
                                     error))
        return -1;
    if (bad.length)
        dl_checkup_add(c, "units", DL_CHECK_FAILS,
                       "%s (dlinspect net --activations shows all; init, normalize and batch_norm "
                       "help)",
                       bad.data);
    else
        dl_checkup_add(c, "units", DL_CHECK_OK, "no layer is dead, saturated or constant");
    dl_text_free(&bad);
    return 0;
}

int dl_checkup_run(dl_checkup *c, dl_experiment *e, dl_loader *train, dl_error *error) {
    enum { ROWS = 4096 };
    static const double SECONDS =
        27; /* half a minute, including steps that cannot be interrupted */
    dl_trial t;
    dl_trial_rows rows = {0};
    char bytes[32];
    int64_t most = e->model.batch_size > ROWS ? e->model.batch_size : ROWS;
    int result = dl_trial_open(&t, e, error);
    if (!result)
        result = dl_trial_rows_read(&rows, e, DL_TRAIN, most, error);
    if (!result) {
        dl_batch batch = dl_trial_batch(&rows, e, 0, rows.count);
        dl_trial_time(&t, &batch, SECONDS);
        check_initial_loss(c, &t, &rows);
        dl_checkup_gradient(c, &t, &rows);
        check_penalty(c, &t);
        dl_checkup_memorize(c, &t, &rows);
        result = dl_checkup_inputs(c, &t, &rows, error);
    }
    if (!result)
        result = dl_checkup_rate(c, &t, train, &rows, error);
    if (!result) {
        dl_checkup_add(c, "memory", DL_CHECK_OK, "%s at the most",
                       dl_text_bytes(bytes, dl_memory_peak()));
        check_duplicates(c, e);
        check_constants(c, &t, &rows);
        check_norms(c, e);
        result = check_units(c, &t, train, error);
    }
    dl_trial_rows_free(&rows);
    dl_trial_close(&t);
    return result;
}
