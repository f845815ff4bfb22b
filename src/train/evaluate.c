#include "train/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "math/activation.h"
#include "math/vector.h"

void dl_judge_open(dl_judge *judge, const dl_experiment *e) {
    *judge = (dl_judge){0};
    if (e->target.classes)
        return;
    size_t count = (size_t)(e->batch_size * e->target.outputs);
    judge->output = xmalloc(sizeof(float) * count);
    judge->target = xmalloc(sizeof(float) * count);
}

void dl_judge_close(dl_judge *judge) {
    free(judge->output);
    free(judge->target);
    *judge = (dl_judge){0};
}

dl_outcome dl_judge_outcome(dl_judge *judge, dl_experiment *e, const dl_batch *batch) {
    const dl_tensor *out = dl_net_output(&e->net);
    int64_t channels = e->channels, count = batch->count * channels;
    dl_outcome outcome = {batch->count * e->positions, channels,          out->value, batch->y,
                          e->target.classes,           e->loss->threshold};
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

static void add_heads(dl_sums *sums, dl_experiment *e, const dl_batch *batch) {
    int64_t rows = batch->count * e->positions;
    for (int h = 0; h < e->net.head_count; h++) {
        const dl_head_loss *head = &e->heads[h];
        dl_tensor *out = dl_net_head_output(&e->net, h);
        float scale = (float)(e->net.heads[h].weight / (double)rows);
        sums->head[h] += head->loss->evaluate(head->self, &e->target, rows, head->channels,
                                              out->value, batch->y, scale, out->grad) /
                         (double)e->positions;
    }
}

double dl_sums_add(dl_sums *sums, dl_judge *judge, dl_experiment *e, const dl_batch *batch,
                   bool gradient) {
    dl_tensor *out = dl_net_output(&e->net);
    int64_t rows = batch->count * e->positions;
    double loss = e->loss->evaluate(e->loss_self, &e->target, rows, e->channels, out->value,
                                    batch->y, 1.0f / (float)rows, gradient ? out->grad : NULL) /
                  (double)e->positions;
    dl_outcome outcome = dl_judge_outcome(judge, e, batch);
    for (int m = 0; m < e->metric_count; m++)
        e->metrics[m]->add(sums->metric[m], &outcome);
    if (gradient)
        add_heads(sums, e, batch);
    sums->loss += loss;
    sums->rows += batch->count;
    return loss / (double)batch->count;
}

double dl_sums_loss(const dl_sums *sums) {
    return sums->rows ? sums->loss / (double)sums->rows : NAN;
}

double dl_sums_head(const dl_sums *sums, int head) {
    return sums->rows ? sums->head[head] / (double)sums->rows : NAN;
}

double dl_sums_metric(const dl_sums *sums, const dl_experiment *e, int metric) {
    return e->metrics[metric]->value(sums->metric[metric]);
}

int dl_evaluate(dl_experiment *e, dl_loader *loader, dl_sums *sums, dl_observer observer,
                void *context, dl_error *error) {
    dl_judge judge;
    dl_judge_open(&judge, e);
    *sums = (dl_sums){0};
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
        }
    }
    dl_judge_close(&judge);
    return error->count > before ? -1 : 0;
}
