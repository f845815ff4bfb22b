#include "train/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "math/activation.h"
#include "math/vector.h"

void dl_sums_open(dl_sums *sums, const dl_experiment *e, bool ordered) {
    *sums = (dl_sums){0};
    dl_tally_open(&sums->tally, e->metrics, e->metric_count, e->target.classes, ordered);
}

void dl_sums_clear(dl_sums *sums) {
    dl_tally tally = sums->tally;
    dl_tally_clear(&tally);
    *sums = (dl_sums){.tally = tally};
}

void dl_sums_close(dl_sums *sums) {
    dl_tally_close(&sums->tally);
}

void dl_judge_open(dl_judge *judge, const dl_experiment *e) {
    bool classes = e->target.classes > 0;
    *judge = (dl_judge){0};
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

/* Of the batch's rows, those that a loss does not ignore. */
static int64_t count_rows(const dl_experiment *e, const dl_loss_type *loss, const void *self,
                          const dl_batch *batch) {
    int64_t rows = batch->count * e->positions, counted = rows;
    int ignored = loss->ignored ? loss->ignored(self) : -1;
    for (int64_t i = 0; ignored >= 0 && i < rows; i++)
        counted -= (int)batch->y[i] == ignored;
    return counted;
}

static void add_heads(dl_sums *sums, dl_experiment *e, const dl_batch *batch) {
    int64_t rows = batch->count * e->positions;
    for (int h = 0; h < e->net.head_count; h++) {
        const dl_head_loss *head = &e->heads[h];
        dl_tensor *out = dl_net_head_output(&e->net, h);
        int64_t counted = count_rows(e, head->loss, head->self, batch);
        double share = counted ? 1 / (double)counted : 0;
        float scale = (float)(e->net.heads[h].weight * share);
        sums->head[h] += head->loss->evaluate(head->self, &e->target, rows, head->channels,
                                              out->value, batch->y, scale, out->grad) *
                         share * (double)batch->count;
    }
}

double dl_sums_add(dl_sums *sums, dl_judge *judge, dl_experiment *e, const dl_batch *batch,
                   bool gradient) {
    dl_tensor *out = dl_net_output(&e->net);
    int64_t rows = batch->count * e->positions,
            counted = count_rows(e, e->loss, e->loss_self, batch);
    double loss =
        e->loss->evaluate(e->loss_self, &e->target, rows, e->channels, out->value, batch->y,
                          counted ? 1.0f / (float)counted : 0, gradient ? out->grad : NULL);
    dl_outcome outcome = dl_judge_outcome(judge, e, batch), numbers = outcome;
    if (batch->number)
        numbers = dl_judge_numbers(judge, e, batch);
    dl_tally_add(&sums->tally, &outcome, &numbers);
    if (gradient)
        add_heads(sums, e, batch);
    sums->loss += loss;
    sums->counted += counted;
    sums->rows += batch->count;
    return counted ? loss / (double)counted : 0;
}

double dl_sums_loss(const dl_sums *sums) {
    return sums->counted ? sums->loss / (double)sums->counted : NAN;
}

double dl_sums_head(const dl_sums *sums, int head) {
    return sums->rows ? sums->head[head] / (double)sums->rows : NAN;
}

double dl_sums_metric(const dl_sums *sums, int metric) {
    return dl_tally_value(&sums->tally, metric);
}

int dl_evaluate(dl_experiment *e, dl_loader *loader, dl_sums *sums, dl_observer observer,
                void *context, dl_error *error) {
    dl_judge judge;
    dl_judge_open(&judge, e);
    dl_sums_open(sums, e, true);
    dl_loader_start(loader, dl_experiment_order(e, false), 0, 0, 0);
    dl_net_begin(&e->net);
    const dl_batch *batch;
    int before = error->count;
    while ((batch = dl_loader_next(loader, error))) {
        dl_pass pass = {.batch = (int)batch->count, .carry = true};
        dl_net_forward(&e->net, batch->x, &pass);
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
    return error->count > before ? -1 : 0;
}
