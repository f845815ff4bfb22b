/* SPDX-License-Identifier: MIT */
#include "model/loss.h"

#include <math.h>

/* The weights of the rows and positions that a loss does not ignore, which are 1 unless the rows
   have weights; of a mixed row, those of its classes that are not ignored. */
static double count_rows(const dl_model *model, const dl_loss_type *loss, const void *self,
                         const dl_batch *batch) {
    int64_t rows = batch->count * model->positions;
    double counted = 0;
    int ignored = loss->ignored ? loss->ignored(self) : -1;
    if (ignored < 0 && !batch->weight)
        return (double)rows;
    for (int64_t i = 0; i < rows; i++) {
        double weight = batch->weight ? (double)batch->weight[i / model->positions] : 1;
        float share = batch->share ? batch->share[i / model->positions] : 1;
        if ((int)batch->y[i] != ignored || ignored < 0)
            counted += weight * (double)share;
        if (share < 1 && ((int)batch->other[i] != ignored || ignored < 0))
            counted += weight * (double)(1 - share);
    }
    return counted;
}

/* The loss's `evaluate` over the batch. A row counts with its weight; a mixed row has the loss of
   both classes: share * L(y) + (1 - share) * L(other). */
static double evaluate(const dl_head_loss *head, const dl_model *model, const dl_batch *batch,
                       const float *output, float scale, float *grad) {
    const dl_loss_type *loss = head->loss;
    int64_t rows = model->positions, size = rows * head->channels;
    int64_t targets = model->data.schema.outputs;
    double sum = 0;
    if (!batch->share && !batch->weight)
        return loss->evaluate(head->self, &model->target, batch->count * rows, head->channels,
                              output, batch->y, scale, grad);
    for (int64_t i = 0; i < batch->count; i++) {
        float weight = batch->weight ? batch->weight[i] : 1;
        float share = batch->share ? batch->share[i] : 1, *g = grad ? grad + i * size : NULL;
        const float *z = output + i * size, *y = batch->y + i * targets;
        sum += (double)weight * share *
               loss->evaluate(head->self, &model->target, rows, head->channels, z, y,
                              scale * share * weight, g);
        if (share == 1)
            continue;
        float rest = (1 - share) * weight, *second = g ? model->mixed_grad : NULL;
        y = batch->other + i * targets;
        sum += (double)rest * loss->evaluate(head->self, &model->target, rows, head->channels, z, y,
                                             scale * rest, second);
        for (int64_t j = 0; g && j < size; j++)
            g[j] += second[j];
    }
    return sum;
}

/* Of the net's output; gradient may be NULL. */
static dl_loss_sum evaluate_output(dl_model *model, const dl_batch *batch, float *gradient) {
    const dl_head_loss own = {model->loss, model->loss_self, model->channels};
    double counted = count_rows(model, model->loss, model->loss_self, batch);
    float scale = counted > 0 ? 1.0f / (float)counted : 0;
    const float *output = dl_net_output(&model->net)->value;
    return (dl_loss_sum){evaluate(&own, model, batch, output, scale, gradient), counted};
}

static dl_loss_sum evaluate_head(dl_model *model, const dl_batch *batch, int h) {
    const dl_head_loss *head = &model->heads[h];
    const dl_tensor *out = dl_net_head_output(&model->net, h);
    double counted = count_rows(model, head->loss, head->self, batch);
    float scale = (float)(model->net.heads[h].weight * (counted > 0 ? 1 / counted : 0));
    return (dl_loss_sum){evaluate(head, model, batch, out->value, scale, out->grad), counted};
}

dl_losses dl_loss_forward(dl_model *model, const dl_batch *batch) {
    return (dl_losses){.net = evaluate_output(model, batch, NULL)};
}

dl_losses dl_loss_backward(dl_model *model, const dl_batch *batch) {
    dl_losses losses = {.net = evaluate_output(model, batch, dl_net_output(&model->net)->grad)};
    for (int h = 0; h < model->net.head_count; h++)
        losses.head[h] = evaluate_head(model, batch, h);
    return losses;
}

void dl_losses_add(dl_losses *to, const dl_losses *losses) {
    to->net.sum += losses->net.sum;
    to->net.counted += losses->net.counted;
    for (int h = 0; h < DL_MAX_HEADS; h++) {
        to->head[h].sum += losses->head[h].sum;
        to->head[h].counted += losses->head[h].counted;
    }
}

double dl_loss_mean(const dl_loss_sum *loss) {
    return loss->counted > 0 ? loss->sum / loss->counted : NAN;
}
