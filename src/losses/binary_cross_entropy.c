/* SPDX-License-Identifier: MIT */
/* Binary cross entropy of each output, from its logit z and target t in [0, 1]:
     L = ln(1 + e^z) - t z,  dL/dz = sigmoid(z) - t,
   averaged over the outputs. Two classes need one output, the logit of the second class. */
#include <math.h>
#include <stdio.h>

#include "losses/loss.h"
#include "math/scalar.h"

typedef struct {
    char unused;
} binary_cross_entropy;

static const dl_option options[] = {DL_OPTIONS_END};

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    (void)self;
    if (target->classes > 2)
        return dl_fail(error, DL_USAGE,
                       "%s: binary_cross_entropy needs two classes, but the data has %d "
                       "(use softmax_cross_entropy)",
                       output->loss_where, target->classes);
    if (dl_loss_check_logits(output, "binary_cross_entropy", "sigmoid", error) ||
        dl_loss_check_unit_targets(output, target, "binary_cross_entropy", error))
        return -1;
    char reason[64] = "two classes need one logit";
    if (!target->classes)
        snprintf(reason, sizeof reason, "a target has %d values", target->outputs);
    return dl_loss_check_outputs(output, target->outputs, reason, error);
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    (void)self, (void)info;
    double total = 0;
    float share = scale / (float)channels;
    for (int64_t i = 0; i < rows * channels; i++) {
        total += dl_softplus(output[i]) - (double)target[i] * output[i];
        if (grad)
            grad[i] = share * (dl_sigmoid(output[i]) - target[i]);
    }
    return total / (double)channels;
}

static double initial(const void *self, const dl_target *target, int64_t channels, double output) {
    (void)self, (void)channels;
    return dl_softplus((float)output) - target->mean * output;
}

const dl_loss_type dl_loss_binary_cross_entropy = {
    .kind = {"binary_cross_entropy",
             "binary cross-entropy with a built-in sigmoid, for two classes or for targets from 0 "
             "to 1 (several labels per sample, masks). The last layer must output logits, one for "
             "two classes, else one per target",
             sizeof(binary_cross_entropy), options},
    .check = check,
    .evaluate = evaluate,
    .link = DL_SIGMOID,
    .initial = initial,
};
