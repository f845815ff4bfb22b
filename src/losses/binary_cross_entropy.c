/* SPDX-License-Identifier: MIT */
/* Binary cross entropy from a logit z and a target t in [0, 1], an output at a time:
     L = ln(1 + e^z) - t z,  dL/dz = sigmoid(z) - t.
   Several outputs are averaged. Two classes need one output: the logit of the second class. */
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
                       "%s: binary_cross_entropy is for two classes, but the data has %d "
                       "(softmax_cross_entropy is for those)",
                       output->loss_where, target->classes);
    if (dl_loss_check_logits(output, "binary_cross_entropy", "sigmoid", error) ||
        dl_loss_check_unit_targets(output, target, "binary_cross_entropy", error))
        return -1;
    char reason[64] = "two classes need one logit";
    if (!target->classes)
        snprintf(reason, sizeof reason, "a target has %d numbers", target->outputs);
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
             "for two classes, or targets from 0 to 1: the last layer gives the "
             "logit of \"yes\", without a sigmoid",
             sizeof(binary_cross_entropy), options},
    .check = check,
    .evaluate = evaluate,
    .link = DL_SIGMOID,
    .initial = initial,
};
