/* SPDX-License-Identifier: MIT */
/* Kullback-Leibler divergence of target probabilities t[channels] and logits z[channels]:
     p = softmax(z),  L = sum over j of t_j (ln t_j - ln p_j), where 0 ln 0 = 0,
     dL/dz = (sum of t) p - t.
   Kullback and Leibler, "On information and sufficiency", 1951. It is the cross-entropy minus the
   entropy of the targets, so its minimum is 0: Hinton et al., "Distilling the knowledge in a neural
   network", 2015. */
#include <math.h>

#include "losses/loss.h"
#include "math/scalar.h"

typedef struct {
    char unused;
} kl_divergence;

static const dl_option options[] = {DL_OPTIONS_END};

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    (void)self;
    if (target->classes)
        return dl_fail(error, DL_USAGE,
                       "%s: kl_divergence needs targets that are probabilities, but the data has "
                       "%d classes (use softmax_cross_entropy)",
                       output->loss_where, target->classes);
    if (target->outputs < 2)
        return dl_fail(error, DL_USAGE,
                       "%s: kl_divergence needs targets of at least 2 probabilities, but a target "
                       "has %d value (use binary_cross_entropy)",
                       output->loss_where, target->outputs);
    if (dl_loss_check_logits(output, "kl_divergence", "softmax", error) ||
        dl_loss_check_unit_targets(output, target, "kl_divergence", error))
        return -1;
    return dl_loss_check_elementwise(output, target, error);
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    (void)self, (void)info;
    double total = 0;
    for (int64_t i = 0; i < rows; i++) {
        const float *z = output + i * channels, *t = target + i * channels;
        double sum = 0, mass = 0;
        float most = z[0];
        for (int64_t j = 1; j < channels; j++)
            most = z[j] > most ? z[j] : most;
        for (int64_t j = 0; j < channels; j++) {
            float e = dl_exp(z[j] - most);
            sum += e;
            mass += t[j];
            if (grad)
                grad[i * channels + j] = e;
        }
        double log_sum = log(sum);
        for (int64_t j = 0; j < channels; j++) {
            double surprise = log_sum - ((double)z[j] - most);
            total += t[j] * surprise + (t[j] != 0 ? t[j] * log((double)t[j]) : 0);
        }
        float share = scale * (float)(mass / sum);
        for (int64_t j = 0; grad && j < channels; j++)
            grad[i * channels + j] = share * grad[i * channels + j] - scale * t[j];
    }
    return total;
}

const dl_loss_type dl_loss_kl_divergence = {
    .kind = {"kl_divergence",
             "Kullback-Leibler divergence with a built-in softmax, for targets that are "
             "probabilities, such as the outputs of another network (distillation). The last layer "
             "must output one logit per probability",
             sizeof(kl_divergence), options},
    .check = check,
    .evaluate = evaluate,
    .link = DL_SOFTMAX,
};
