/* SPDX-License-Identifier: MIT */
#include "model/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "math/activation.h"
#include "math/vector.h"
#include "model/test_time_augmentation.h"

void dl_sums_open(dl_sums *sums, const dl_experiment *e, bool ordered) {
    *sums = (dl_sums){0};
    dl_accumulator_open(&sums->tally, e->metrics, e->metric_count, e->target.classes, ordered);
}

void dl_sums_clear(dl_sums *sums) {
    dl_accumulator tally = sums->tally;
    dl_accumulator_clear(&tally);
    *sums = (dl_sums){.tally = tally};
}

void dl_sums_close(dl_sums *sums) {
    dl_accumulator_close(&sums->tally);
}

void dl_judge_open(dl_judge *judge, const dl_experiment *e) {
    bool classes = e->target.classes > 0;
    *judge = (dl_judge){0};
    if (e->data.augment.mixes) {
        int64_t most = e->channels;
        for (int h = 0; h < e->net.head_count; h++)
            most = e->heads[h].channels > most ? e->heads[h].channels : most;
        judge->grad = xmalloc(sizeof(float) * (size_t)(e->positions * most));
    }
    if (e->data.schema.bin_edge) {
        judge->expected = xmalloc(sizeof(float) * (size_t)e->batch_size);
        judge->number = xmalloc(sizeof(float) * (size_t)e->batch_size);
    }
    if (classes && dl_experiment_ignored(e) < 0)
        return;
    size_t rows = (size_t)(e->batch_size * e->positions);
    judge->output = xmalloc(sizeof(float) * rows * (size_t)e->channels);
    judge->target = xmalloc(sizeof(float) * rows * (size_t)(classes ? 1 : e->target.outputs));
}

void dl_judge_close(dl_judge *judge) {
    free(judge->grad);
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

dl_outcome dl_judge_outcome(dl_judge *judge, dl_experiment *e, const dl_batch *batch) {
    const dl_tensor *out = dl_net_output(&e->net);
    int64_t channels = e->channels, count = batch->count * channels;
    dl_outcome outcome = {batch->count * e->positions, channels,           out->value, batch->y,
                          e->target.classes,           e->loss->threshold, e->link};
    if (e->target.classes && dl_experiment_ignored(e) >= 0)
        leave_out(judge, &outcome, dl_experiment_ignored(e));
    if (e->target.classes)
        return outcome;
    dl_copy(judge->output, out->value, count);
    dl_copy(judge->target, batch->y, count);
    dl_activation link = {.kind = e->loss->link};
    if (link.kind != DL_LINEAR)
        dl_activate(&link, batch->count, channels, NULL, judge->output, judge->output);
    dl_denormalize(&e->data.target, judge->output, batch->count, channels);
    dl_denormalize(&e->data.target, judge->target, batch->count, channels);
    outcome.output = judge->output;
    outcome.target = judge->target;
    return outcome;
}

dl_outcome dl_judge_numbers(dl_judge *judge, dl_experiment *e, const dl_batch *batch) {
    const float *output = dl_net_output(&e->net)->value;
    int ignored = dl_experiment_ignored(e);
    int64_t kept = 0;
    for (int64_t i = 0; i < batch->count; i++) {
        if ((int)batch->y[i] == ignored)
            continue;
        judge->expected[kept] = (float)dl_expected_value(output + i * e->channels,
                                                         e->data.schema.bin_mean, (int)e->channels);
        judge->number[kept++] = batch->number[i];
    }
    return (dl_outcome){kept, 1, judge->expected, judge->number, 0, 0, 0};
}

/* Of the batch's rows, those that a loss does not ignore; of a row that two were mixed to, the
   shares that it does not. */
static double count_rows(const dl_experiment *e, const dl_loss_type *loss, const void *self,
                         const dl_batch *batch) {
    int64_t rows = batch->count * e->positions;
    double counted = (double)rows;
    int ignored = loss->ignored ? loss->ignored(self) : -1;
    for (int64_t i = 0; ignored >= 0 && i < rows; i++) {
        float share = batch->share ? batch->share[i / e->positions] : 1;
        if ((int)batch->y[i] == ignored)
            counted -= (double)share;
        if (share < 1 && (int)batch->other[i] == ignored)
            counted -= (double)(1 - share);
    }
    return counted > 1e-6 ? counted : 0; /* shares of 1 in all may leave a last bit */
}

/* As the loss's `evaluate` over the batch. A row that two were mixed to has the loss of both
   classes, each with its share: share * L(y) + (1 - share) * L(other). */
static double evaluate(const dl_head_loss *head, const dl_judge *judge, const dl_experiment *e,
                       const dl_batch *batch, const float *output, float scale, float *grad) {
    const dl_loss_type *loss = head->loss;
    int64_t rows = e->positions, size = rows * head->channels;
    double sum = 0;
    if (!batch->share)
        return loss->evaluate(head->self, &e->target, batch->count * rows, head->channels, output,
                              batch->y, scale, grad);
    for (int64_t i = 0; i < batch->count; i++) {
        float share = batch->share[i], *g = grad ? grad + i * size : NULL;
        const float *z = output + i * size, *y = batch->y + i * rows;
        sum += (double)share *
               loss->evaluate(head->self, &e->target, rows, head->channels, z, y, scale * share, g);
        if (share == 1)
            continue;
        float rest = 1 - share, *second = g ? judge->grad : NULL;
        y = batch->other + i * rows;
        sum += (double)rest * loss->evaluate(head->self, &e->target, rows, head->channels, z, y,
                                             scale * rest, second);
        for (int64_t j = 0; g && j < size; j++)
            g[j] += second[j];
    }
    return sum;
}

static void add_heads(dl_sums *sums, const dl_judge *judge, dl_experiment *e,
                      const dl_batch *batch) {
    for (int h = 0; h < e->net.head_count; h++) {
        const dl_head_loss *head = &e->heads[h];
        dl_tensor *out = dl_net_head_output(&e->net, h);
        double counted = count_rows(e, head->loss, head->self, batch);
        double share = counted > 0 ? 1 / counted : 0;
        float scale = (float)(e->net.heads[h].weight * share);
        sums->head[h] += evaluate(head, judge, e, batch, out->value, scale, out->grad);
        sums->head_counted[h] += counted;
    }
}

double dl_sums_add(dl_sums *sums, dl_judge *judge, dl_experiment *e, const dl_batch *batch,
                   bool gradient) {
    dl_tensor *out = dl_net_output(&e->net);
    double counted = count_rows(e, e->loss, e->loss_self, batch);
    const dl_head_loss own = {e->loss, e->loss_self, e->channels};
    double loss = evaluate(&own, judge, e, batch, out->value,
                           counted > 0 ? 1.0f / (float)counted : 0, gradient ? out->grad : NULL);
    dl_outcome outcome = dl_judge_outcome(judge, e, batch), numbers = outcome;
    if (batch->number)
        numbers = dl_judge_numbers(judge, e, batch);
    dl_accumulator_add(&sums->tally, &outcome, &numbers);
    if (gradient)
        add_heads(sums, judge, e, batch);
    sums->loss += loss;
    sums->counted += counted;
    sums->rows += batch->count;
    return counted > 0 ? loss / counted : 0;
}

double dl_sums_loss(const dl_sums *sums) {
    return sums->counted > 0 ? sums->loss / sums->counted : NAN;
}

double dl_sums_head(const dl_sums *sums, int head) {
    return sums->head_counted[head] > 0 ? sums->head[head] / sums->head_counted[head] : NAN;
}

double dl_sums_metric(const dl_sums *sums, int metric) {
    return dl_accumulator_value(&sums->tally, metric);
}

int dl_evaluate(dl_experiment *e, dl_loader *loader, dl_sums *sums, dl_observer observer,
                void *context, dl_error *error) {
    dl_judge judge;
    dl_views views;
    dl_judge_open(&judge, e);
    dl_views_open(&views, e);
    dl_sums_open(sums, e, true);
    dl_loader_start(loader, dl_experiment_order(e, false), 0, 0, 0);
    dl_net_begin(&e->net);
    const dl_batch *batch;
    int before = error->count;
    while ((batch = dl_loader_next(loader, error))) {
        dl_views_forward(&views, e, batch);
        dl_sums_add(sums, &judge, e, batch, false);
        if (observer) {
            dl_outcome outcome = dl_judge_outcome(&judge, e, batch);
            observer(context, &outcome);
            if (batch->number) {
                outcome = dl_judge_numbers(&judge, e, batch);
                observer(context, &outcome);
            }
        }
    }
    dl_judge_close(&judge);
    dl_views_close(&views);
    return error->count > before ? -1 : 0;
}
