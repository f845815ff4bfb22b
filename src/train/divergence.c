/* SPDX-License-Identifier: MIT */
#include "train/divergence.h"

#include <math.h>
#include <string.h>

#include "math/vector.h"

#define ADVICE "a smaller learning_rate, clip_norm or normalized data may help"

int dl_divergence_fail(dl_experiment *e, int64_t epoch, int64_t step, const dl_batch *batch,
                       const char *what, dl_error *error) {
    dl_pass pass = {.batch = batch ? (int)batch->count : 0};
    const char *bad = batch ? dl_net_find_not_finite(&e->model.net, batch->x, &pass) : NULL;
    return dl_fail(error, DL_DIVERGED,
                   "diverged in epoch %lld, step %lld: %s is not finite; the first bad value is in "
                   "%s; " ADVICE,
                   (long long)epoch + 1, (long long)step, what, bad ? bad : "the loss itself");
}

/* The parameter with the largest weight. */
static const dl_param *find_largest(const dl_net *net, float *largest) {
    const dl_param *found = &net->params[0];
    *largest = 0;
    for (int p = 0; p < net->param_count; p++)
        for (int64_t i = 0; i < net->params[p].count; i++)
            if (fabsf(net->params[p].value[i]) > *largest) {
                *largest = fabsf(net->params[p].value[i]);
                found = &net->params[p];
            }
    return found;
}

/* Diverged, although still finite: a loss a million times the expected initial one, and weights
   above a million. */
int dl_divergence_check(dl_experiment *e, const dl_progress *progress, dl_loader *loader,
                        dl_error *error) {
    static const double LIMIT = 1e6;
    const dl_net *net = &e->model.net;
    if (dl_find_not_finite(net->weights, net->weight_count) >= 0 ||
        dl_find_not_finite(net->states, net->state_count) >= 0) {
        dl_loader_start(loader, false, 0, 0, 0);
        return dl_divergence_fail(e, progress->epoch, progress->epoch_step,
                                  dl_loader_next(loader, error), "a weight", error);
    }
    double loss = dl_loss_mean(&progress->sums.losses.net);
    double untrained = dl_model_expected_loss(&e->model);
    float largest = 0;
    if (!(loss > LIMIT * untrained))
        return 0;
    const dl_param *param = find_largest(net, &largest);
    if (largest < LIMIT)
        return 0;
    int point = (int)strcspn(param->name, ".");
    return dl_fail(
        error, DL_DIVERGED,
        "diverged in epoch %lld, step %lld: the loss has become %.3g (an untrained "
        "network's is %.3g); the largest weight, %.3g, is in layer \"%.*s\" (its %s); " ADVICE,
        (long long)progress->epoch + 1, (long long)progress->epoch_step, loss, untrained,
        (double)largest, point, param->name, param->name + point + 1);
}
