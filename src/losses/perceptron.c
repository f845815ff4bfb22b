/* SPDX-License-Identifier: MIT */
/* The perceptron rule: with outputs y = step(w x + b) and targets t of 0 and 1,
     dw = (y - t) x,  db = y - t,
   so weights change only if the output is wrong. Rosenblatt, "The perceptron: a probabilistic model
   for information storage and organization in the brain", 1958.
   The derivative of a step is 0. Instead the loss is L = sum over the outputs of (y - t)^2 / 2,
   half the number of wrong outputs, with dL/dy = y - t, and `straight_through` passes it to w x + b
   unchanged. For classes, t is one-hot; for two classes and one output it is the class index. */
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
                       "%s: the loss perceptron needs a last layer with activation = \"step\", "
                       "but that of \"%s\" is %s",
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
            float error =
                output[i * channels + j] - dl_loss_target_value(info, channels, target, i, j);
            total += (double)error * error / 2;
            if (grad)
                grad[i * channels + j] = scale * error;
        }
    return total;
}

const dl_loss_type dl_loss_perceptron = {
    .kind = {"perceptron",
             "perceptron rule of Rosenblatt, for classes or targets of 0 and 1: a last layer with "
             "activation = \"step\" learns only from wrong outputs. The loss is half the number of "
             "wrong outputs",
             sizeof(perceptron), options},
    .check = check,
    .evaluate = evaluate,
    .threshold = 0.5f,
    .straight_through = true,
};
