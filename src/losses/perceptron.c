/* SPDX-License-Identifier: MIT */
/* The perceptron's rule: with outputs y = step(w x + b) and targets t of 0 and 1,
     dw = (y - t) x,  db = y - t,
   so that a weight changes only where the answer is wrong. Rosenblatt, "The perceptron: a
   probabilistic model for information storage and organization in the brain", 1958.
   A step has no slope to learn from. The loss is L = sum over the outputs of (y - t)^2 / 2, half
   the number of wrong outputs, dL/dy = y - t, and `straight_through` hands it on to w x + b
   unchanged. For classes the target is 1 for the true class and 0 for the others; with two classes
   and one output it is the class number, 0 or 1. */
#include <math.h>

#include "losses/loss.h"
#include "math/activation.h"

typedef struct {
    char unused;
} perceptron;

static const dl_option options[] = {DL_OPTIONS_END};

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    (void)self;
    if (output->activation != DL_STEP)
        return dl_fail(error, DL_USAGE,
                       "%s: the loss perceptron needs a last layer that ends in a step, but that "
                       "of \"%s\" is %s (say activation = \"step\")",
                       output->where, output->name, dl_activation_names[output->activation]);
    if (dl_loss_check_unit_targets(output, target, "perceptron", error))
        return -1;
    return dl_loss_check_elementwise(output, target, error);
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    (void)self;
    double total = 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < channels; j++) {
            float mistake =
                output[i * channels + j] - dl_loss_target_value(info, channels, target, i, j);
            total += (double)mistake * mistake / 2;
            if (grad)
                grad[i * channels + j] = scale * mistake;
        }
    return total;
}

/* Outputs are 0 or 1 by the weights' signs, however small these are. */
static double initial(const void *self, const dl_target *target, int64_t channels, double output) {
    (void)self, (void)target, (void)channels, (void)output;
    return NAN;
}

const dl_loss_type dl_loss_perceptron = {
    .kind = {"perceptron",
             "for classes, or targets of 0 and 1: Rosenblatt's rule for a last layer whose "
             "activation is \"step\"; the loss is half the number of wrong outputs",
             sizeof(perceptron), options},
    .check = check,
    .evaluate = evaluate,
    .initial = initial,
    .threshold = 0.5f,
    .straight_through = true,
};
