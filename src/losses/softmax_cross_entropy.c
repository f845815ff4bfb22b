/* Softmax with cross entropy, from logits z[channels] and the true class t:
     p = softmax(z),  L = -ln p_t = ln(sum of e^(z_j - max)) - (z_t - max),  dL/dz = p - onehot(t).
   Bridle, "Training stochastic model recognition algorithms as networks", 1989. Never ln 0. */
#include <math.h>
#include <stdio.h>

#include "losses/loss.h"
#include "math/activation.h"
#include "math/scalar.h"

typedef struct {
    char unused;
} softmax_cross_entropy;

static const dl_option options[] = {DL_OPTIONS_END};

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    (void)self;
    if (!target->classes)
        return dl_fail(error, DL_USAGE,
                       "%s: softmax_cross_entropy is for classes, but the data's targets are "
                       "numbers (mse and l1 are for those)",
                       output->loss_where);
    if (output->activation == DL_SOFTMAX)
        return dl_fail(
            error, DL_USAGE,
            "%s: the last layer, \"%s\", is already a softmax, and the loss "
            "softmax_cross_entropy has one built in (it takes logits): two of them learn "
            "slowly and badly. Take the softmax out",
            output->where, output->name);
    char reason[64];
    snprintf(reason, sizeof reason, "the data has %d classes", target->classes);
    return dl_loss_check_outputs(output, target->classes, reason, error);
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    (void)self, (void)info;
    double total = 0;
    for (int64_t i = 0; i < rows; i++) {
        const float *z = output + i * channels;
        int truth = (int)target[i];
        float most = z[0];
        for (int64_t j = 1; j < channels; j++)
            most = z[j] > most ? z[j] : most;
        double sum = 0;
        if (!grad)
            for (int64_t j = 0; j < channels; j++)
                sum += dl_exp(z[j] - most);
        else {
            float *g = grad + i * channels;
            for (int64_t j = 0; j < channels; j++)
                g[j] = dl_exp(z[j] - most);
            for (int64_t j = 0; j < channels; j++)
                sum += g[j];
            float share = scale / (float)sum;
            for (int64_t j = 0; j < channels; j++)
                g[j] *= share;
            g[truth] -= scale;
        }
        total += log(sum) - ((double)z[truth] - most);
    }
    return total;
}

static double initial(const void *self, const dl_target *target, int64_t channels) {
    (void)channels;
    (void)self;
    return log(target->classes);
}

const dl_loss_type dl_loss_softmax_cross_entropy = {
    .kind = {"softmax_cross_entropy",
             "for classes: the surprise, in nats, at the true class; the last "
             "layer gives one logit a class, without a softmax",
             sizeof(softmax_cross_entropy), options},
    .check = check,
    .evaluate = evaluate,
    .initial = initial,
};
