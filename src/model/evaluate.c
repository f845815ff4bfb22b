/* SPDX-License-Identifier: MIT */
#include "model/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "math/activation.h"
#include "math/vector.h"
#include "model/test_time_augmentation.h"

void dl_sums_open(dl_sums *sums, const dl_model *model, bool ordered) {
    *sums = (dl_sums){0};
    dl_accumulator_open(&sums->tally, model->metrics, model->metric_count, model->target.classes,
                        (int)model->channels, ordered);
}

void dl_sums_clear(dl_sums *sums) {
    dl_accumulator tally = sums->tally;
    dl_accumulator_clear(&tally);
    *sums = (dl_sums){.tally = tally};
}

void dl_sums_close(dl_sums *sums) {
    dl_accumulator_close(&sums->tally);
}

int dl_sums_fields(dl_sums *sums, const dl_model *model, dl_field_visitor visit, void *context) {
    double rows = (double)sums->rows;
    int result = visit(context, "rows", &rows, 1);
    if (!dl_count_from_double(rows, &sums->rows))
        return -1;
    for (int i = 0; i <= model->net.head_count && !result; i++) {
        dl_loss_sum *end = i ? &sums->losses.head[i - 1] : &sums->losses.net;
        double numbers[] = {end->sum, end->counted};
        dl_text name = {0};
        dl_text_add(&name, "loss%s%s", i ? "." : "", i ? model->net.heads[i - 1].name : "");
        result = visit(context, name.data, numbers, 2);
        dl_text_free(&name);
        *end = (dl_loss_sum){numbers[0], numbers[1]};
    }
    return result ? -1 : dl_accumulator_fields(&sums->tally, visit, context);
}

void dl_judge_open(dl_judge *judge, const dl_model *model) {
    bool classes = model->target.classes > 0;
    *judge = (dl_judge){0};
    if (model->data.schema.bin_edge) {
        judge->expected = xmalloc(sizeof(float) * (size_t)model->batch_size);
        judge->number = xmalloc(sizeof(float) * (size_t)model->batch_size);
    }
    if (classes && dl_model_ignored(model) < 0)
        return;
    size_t rows = (size_t)(model->batch_size * model->positions);
    judge->output = xmalloc(sizeof(float) * rows * (size_t)model->channels);
    judge->target = xmalloc(sizeof(float) * rows * (size_t)(classes ? 1 : model->target.outputs));
}

void dl_judge_close(dl_judge *judge) {
    free(judge->expected);
    free(judge->number);
    free(judge->output);
    free(judge->target);
    *judge = (dl_judge){0};
}

/* The rows that count move together. */
static void leave_out(dl_judge *judge, dl_outcome *outcome, int ignored) {
    int64_t kept = 0, channels = outcome->channels;
    for (int64_t i = 0; i < outcome->rows; i++) {
        if ((int)outcome->target[i] == ignored)
            continue;
        dl_copy(judge->output + kept * channels, outcome->output + i * channels, channels);
        judge->target[kept++] = outcome->target[i];
    }
    outcome->rows = kept;
    outcome->output = judge->output;
    outcome->target = judge->target;
}

dl_outcome dl_judge_outcome(dl_judge *judge, dl_model *model, const dl_batch *batch) {
    const dl_tensor *out = dl_net_output(&model->net);
    int64_t channels = model->channels, count = batch->count * channels;
    dl_outcome outcome = {
        batch->count * model->positions, channels,   out->value, batch->y, model->target.classes,
        model->loss->threshold,          model->link};
    if (model->target.classes && dl_model_ignored(model) >= 0)
        leave_out(judge, &outcome, dl_model_ignored(model));
    if (model->target.classes)
        return outcome;
    dl_copy(judge->output, out->value, count);
    dl_copy(judge->target, batch->y, count);
    dl_activation link = {.kind = model->loss->link};
    if (link.kind != DL_LINEAR)
        dl_activate(&link, batch->count, channels, NULL, judge->output, judge->output);
    dl_denormalize(&model->data.target, judge->output, batch->count, channels);
    dl_denormalize(&model->data.target, judge->target, batch->count, channels);
    outcome.output = judge->output;
    outcome.target = judge->target;
    return outcome;
}

dl_outcome dl_judge_numbers(dl_judge *judge, dl_model *model, const dl_batch *batch) {
    const float *output = dl_net_output(&model->net)->value;
    int ignored = dl_model_ignored(model);
    int64_t kept = 0;
    for (int64_t i = 0; i < batch->count; i++) {
        if ((int)batch->y[i] == ignored)
            continue;
        judge->expected[kept] = (float)dl_expected_value(
            output + i * model->channels, model->data.schema.bin_mean, (int)model->channels);
        judge->number[kept++] = batch->number[i];
    }
    return (dl_outcome){kept, 1, judge->expected, judge->number, 0, 0, 0};
}

void dl_sums_add(dl_sums *sums, dl_judge *judge, dl_model *model, const dl_batch *batch,
                 const dl_losses *losses) {
    dl_outcome outcome = dl_judge_outcome(judge, model, batch), numbers = outcome;
    if (batch->number)
        numbers = dl_judge_numbers(judge, model, batch);
    dl_accumulator_add(&sums->tally, &outcome, &numbers);
    dl_losses_add(&sums->losses, losses);
    sums->rows += batch->count;
}

double dl_sums_metric(const dl_sums *sums, int metric) {
    return dl_accumulator_value(&sums->tally, metric);
}

static int evaluate(dl_model *model, dl_loader *loader, int views_kind, dl_sums *sums,
                    dl_observer observer, void *context, dl_error *error) {
    dl_judge judge;
    dl_views views;
    dl_judge_open(&judge, model);
    dl_views_open(&views, model, views_kind);
    dl_sums_open(sums, model, true);
    dl_loader_start(loader, dl_model_order(model, false), 0, 0, 0);
    dl_net_begin(&model->net);
    const dl_batch *batch;
    int before = error->count;
    while ((batch = dl_loader_next(loader, error))) {
        dl_views_forward(&views, model, batch);
        dl_losses losses = dl_loss_forward(model, batch);
        dl_sums_add(sums, &judge, model, batch, &losses);
        if (observer) {
            dl_outcome outcome = dl_judge_outcome(&judge, model, batch);
            observer(context, &outcome);
            if (batch->number) {
                outcome = dl_judge_numbers(&judge, model, batch);
                observer(context, &outcome);
            }
        }
    }
    dl_judge_close(&judge);
    dl_views_close(&views);
    return error->count > before ? -1 : 0;
}

int dl_evaluate(dl_model *model, dl_loader *loader, dl_sums *sums, dl_observer observer,
                void *context, dl_error *error) {
    return evaluate(model, loader, model->data.augment.test_time, sums, observer, context, error);
}

int dl_evaluate_plain(dl_model *model, dl_loader *loader, dl_sums *sums, dl_error *error) {
    return evaluate(model, loader, DL_VIEWS_ONE, sums, NULL, NULL, error);
}
