/* SPDX-License-Identifier: MIT */
#include "losses/loss.h"

#include <stdio.h>

#include "math/activation.h"

int dl_loss_check_outputs(const dl_output *output, int wanted, const char *reason,
                          dl_error *error) {
    int64_t outputs = dl_shape_size(output->shape);
    if (outputs == wanted)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: %s, \"%s\", has %lld output%s, but %s: it must have %d",
                   output->where, output->role, output->name, (long long)outputs,
                   outputs == 1 ? "" : "s", reason, wanted);
}

int dl_loss_check_classes(const dl_output *output, const dl_target *target, const char *loss,
                          dl_error *error) {
    if (target->classes)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: %s needs classes, but the targets are numeric (use mse or l1)",
                   output->loss_where, loss);
}

int dl_loss_check_logits(const dl_output *output, const char *loss, const char *built_in,
                         dl_error *error) {
    if (output->activation != DL_SIGMOID && output->activation != DL_SOFTMAX)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: %s, \"%s\", ends in a %s, but the loss %s has a %s built in and "
                   "expects logits. Make it linear",
                   output->where, output->role, output->name,
                   dl_activation_names[output->activation], loss, built_in);
}

int dl_loss_check_unit_targets(const dl_output *output, const dl_target *target, const char *loss,
                               dl_error *error) {
    if (target->classes || (target->least >= 0 && target->most <= 1))
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: %s needs targets from 0 to 1, but they range from %g to %g (use mse or l1)",
                   output->loss_where, loss, target->least, target->most);
}

int dl_loss_check_elementwise(const dl_output *output, const dl_target *target, dl_error *error) {
    char reason[80];
    if (target->classes == 2 && dl_shape_size(output->shape) == 1)
        return 0;
    if (target->classes)
        snprintf(reason, sizeof reason, "the data has %d classes", target->classes);
    else
        snprintf(reason, sizeof reason, "a target has %d value%s", target->outputs,
                 target->outputs == 1 ? "" : "s");
    return dl_loss_check_outputs(output, target->classes ? target->classes : target->outputs,
                                 reason, error);
}
