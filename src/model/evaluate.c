/* SPDX-License-Identifier: MIT */
#include "model/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "math/activation.h"
#include "math/vector.h"
#include "model/test_time_augmentation.h"

void dl_metric_sums_open(dl_metric_sums *sums, const dl_model *model, bool ordered) {
    *sums = (dl_metric_sums){0};
    dl_accumulator_open(&sums->accumulator, model->metrics, model->metric_count,
                        model->target.classes, (int)model->channels, ordered);
}

void dl_metric_sums_clear(dl_metric_sums *sums) {
    dl_accumulator accumulator = sums->accumulator;
    dl_accumulator_clear(&accumulator);
    *sums = (dl_metric_sums){.accumulator = accumulator};
}

void dl_metric_sums_close(dl_metric_sums *sums) {
    dl_accumulator_close(&sums->accumulator);
}

int dl_metric_sums_fields(dl_metric_sums *sums, const dl_model *model, dl_field_visitor visit,
                          void *context) {
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
    return result ? -1 : dl_accumulator_fields(&sums->accumulator, visit, context);
}

void dl_outcome_buffers_open(dl_outcome_buffers *buffers, const dl_model *model) {
    bool classes = model->target.classes > 0;
    *buffers = (dl_outcome_buffers){0};
    if (model->data.schema.bin_edge) {
        buffers->expected = xmalloc(sizeof(float) * (size_t)model->batch_size);
        buffers->number = xmalloc(sizeof(float) * (size_t)model->batch_size);
    }
    if (classes && dl_model_ignored(model) < 0)
        return;
    size_t rows = (size_t)(model->batch_size * model->positions);
    buffers->output = xmalloc(sizeof(float) * rows * (size_t)model->channels);
    buffers->target = xmalloc(sizeof(float) * rows * (size_t)(classes ? 1 : model->target.outputs));
}

void dl_outcome_buffers_close(dl_outcome_buffers *buffers) {
    free(buffers->expected);
    free(buffers->number);
    free(buffers->output);
    free(buffers->target);
    *buffers = (dl_outcome_buffers){0};
}

/* Copies the rows that are not ignored. */
static void remove_ignored(dl_outcome_buffers *buffers, dl_outcome *outcome, int ignored) {
    int64_t kept = 0, channels = outcome->channels;
    for (int64_t i = 0; i < outcome->rows; i++) {
        if ((int)outcome->target[i] == ignored)
            continue;
        dl_copy(buffers->output + kept * channels, outcome->output + i * channels, channels);
        buffers->target[kept++] = outcome->target[i];
    }
    outcome->rows = kept;
    outcome->output = buffers->output;
    outcome->target = buffers->target;
}

dl_outcome dl_batch_outcome(dl_outcome_buffers *buffers, dl_model *model, const dl_batch *batch) {
    const dl_tensor *out = dl_net_output(&model->net);
    int64_t channels = model->channels, count = batch->count * channels;
    dl_outcome outcome = {batch->count * model->positions,
                          channels,
                          out->value,
                          batch->y,
                          model->target.classes,
                          model->loss->threshold,
                          model->link,
                          model->data.schema.target_origin};
    if (model->target.classes && dl_model_ignored(model) >= 0)
        remove_ignored(buffers, &outcome, dl_model_ignored(model));
    if (model->target.classes)
        return outcome;
    dl_copy(buffers->output, out->value, count);
    dl_copy(buffers->target, batch->y, count);
    dl_activation link = {.kind = model->loss->link};
    if (link.kind != DL_LINEAR)
        dl_activate(&link, batch->count, channels, NULL, buffers->output, buffers->output);
    dl_denormalize(&model->data.target, buffers->output, batch->count, channels);
    dl_denormalize(&model->data.target, buffers->target, batch->count, channels);
    outcome.output = buffers->output;
    outcome.target = buffers->target;
    return outcome;
}

dl_outcome dl_batch_outcome_numeric(dl_outcome_buffers *buffers, dl_model *model,
                                    const dl_batch *batch) {
    const float *output = dl_net_output(&model->net)->value;
    int ignored = dl_model_ignored(model);
    int64_t kept = 0;
    for (int64_t i = 0; i < batch->count; i++) {
        if ((int)batch->y[i] == ignored)
            continue;
        buffers->expected[kept] = (float)dl_expected_value(
            output + i * model->channels, model->data.schema.bin_mean, (int)model->channels);
        buffers->number[kept++] = batch->number[i];
    }
    return (dl_outcome){kept, 1, buffers->expected, buffers->number, 0, 0, 0, NULL};
}

void dl_metric_sums_add(dl_metric_sums *sums, dl_outcome_buffers *buffers, dl_model *model,
                        const dl_batch *batch, const dl_losses *losses) {
    dl_outcome outcome = dl_batch_outcome(buffers, model, batch), numbers = outcome;
    if (batch->number)
        numbers = dl_batch_outcome_numeric(buffers, model, batch);
    dl_accumulator_add(&sums->accumulator, &outcome, &numbers);
    dl_losses_add(&sums->losses, losses);
    sums->rows += batch->count;
}

double dl_metric_sums_value(const dl_metric_sums *sums, int metric) {
    return dl_accumulator_value(&sums->accumulator, metric);
}

static int evaluate(dl_model *model, dl_loader *loader, int views_kind, dl_metric_sums *sums,
                    dl_observer observer, void *context, dl_error *error) {
    dl_outcome_buffers buffers;
    dl_views views;
    dl_outcome_buffers_open(&buffers, model);
    dl_views_open(&views, model, views_kind);
    dl_metric_sums_open(sums, model, true);
    dl_loader_start(loader, dl_model_order(model, false), 0, 0, 0);
    dl_net_begin(&model->net);
    const dl_batch *batch;
    int before = error->count;
    while ((batch = dl_loader_next(loader, error))) {
        dl_views_forward(&views, model, batch);
        dl_losses losses = dl_loss_forward(model, batch);
        dl_metric_sums_add(sums, &buffers, model, batch, &losses);
        if (observer) {
            dl_outcome outcome = dl_batch_outcome(&buffers, model, batch);
            observer(context, &outcome);
            if (batch->number) {
                outcome = dl_batch_outcome_numeric(&buffers, model, batch);
                observer(context, &outcome);
            }
        }
    }
    dl_outcome_buffers_close(&buffers);
    dl_views_close(&views);
    return error->count > before ? -1 : 0;
}

int dl_evaluate(dl_model *model, dl_loader *loader, dl_metric_sums *sums, dl_observer observer,
                void *context, dl_error *error) {
    return evaluate(model, loader, model->data.augment.test_time, sums, observer, context, error);
}

int dl_evaluate_plain(dl_model *model, dl_loader *loader, dl_metric_sums *sums, dl_error *error) {
    return evaluate(model, loader, DL_VIEWS_ONE, sums, NULL, NULL, error);
}
