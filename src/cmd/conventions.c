/* SPDX-License-Identifier: MIT */
/* Where frameworks differ: dltrain, PyTorch 2 and Keras 3. */
#include "cmd/conventions.h"

#include "config/option.h"

static const struct {
    const char *topic, *ours, *pytorch, *keras; /* NULL: the same */
} conventions[] = {
    {"mse, l1, huber", "means over outputs and rows; huber is d^2 / 2 below delta", NULL, NULL},
    {"hinge", "the sum over the wrong classes (Weston and Watkins)",
     "MultiMarginLoss divides it by the number of classes",
     "CategoricalHinge uses only the highest wrong class"},
    {"l2", "l2 / 2 * w^2, so that its gradient is l2 * w",
     "weight_decay is the same, but for all parameters",
     "l2(c) is c * w^2, so that c is half of our l2"},
    {"penalties, weight_decay",
     "apply to weights, not to biases, scales and shifts of norms, and slopes of prelu",
     "to all parameters of a group", "to the layers that have a regularizer"},
    {"order within a step",
     "clip_value, clip_norm, gradient_noise, gradients of the penalties, the optimizer, "
     "clip_weights, max_norm: penalties are not clipped",
     "the same with weight_decay; penalties added to the loss are clipped",
     "regularizers are part of the loss and are clipped"},
    {"sgd, nesterov", "v = m v + g, w -= rate (g + m v): w is the look-ahead point", NULL,
     "v includes the rate: v = m v - rate g"},
    {"rmsprop", "g / (sqrt(s) + epsilon), alpha 0.99, epsilon 1e-8", NULL,
     "g / sqrt(s + epsilon), rho 0.9, epsilon 1e-7"},
    {"adagrad", "the sum starts at 0; g / (sqrt(s) + epsilon)", NULL,
     "it starts at 0.1; g / sqrt(s + epsilon)"},
    {"rprop", "a weight whose gradient changes sign is not updated in that step", NULL,
     "has no rprop"},
    {"epsilon of adam, nadam, adagrad, rmsprop, adadelta", "must be at least 1e-30", "0 is allowed",
     NULL},
    {"warm-up", "step n of w has n / w of the rate, the last one the full rate",
     "LinearLR starts at a third", "part of a schedule, from 0"},
    {"plateau", "a patience of n reduces the rate after n epochs without improvement",
     "after n + 1", NULL},
    {"weight (csv)", "a batch's loss is the sum of weight * loss over the sum of the weights",
     "CrossEntropyLoss(weight) divides so for classes; reduction = none leaves it to you",
     "sample_weight divides by the number of rows; scikit-learn like ours"},
    {"class_weights", "divided by the number of rows, not by the sum of the weights",
     "divides by the sum of the weights", "class_weight divides by the number of rows"},
    {"history.csv", "learning_rate is that of the epoch's first step", NULL, NULL},
    {"average = ema", "decay min(decay, t / (9 + t)) in step t", "AveragedModel has no warm-up",
     "use_ema has no warm-up"},
    {"normalize", "mean_std divides by the standard deviation over n, not n - 1",
     "std() divides by n - 1", "Normalization over n"},
    {"batch_norm",
     "normalizes by the variance over n; the running variance is over n - 1; "
     "momentum 0.1 is the weight of the new batch; batches of one value update neither average",
     "the same; a batch of one value is an error",
     "the running variance is over n; momentum 0.99 is the weight of the old average; "
     "epsilon 1e-3"},
    {"share", "layers that share weights have separate running statistics",
     "a module called twice has one set", "like PyTorch"},
    {"padding = \"same\"", "an odd pixel is added at the bottom and the right", NULL, NULL},
    {"padding", "must be less than the size of the window",
     "any for convolutions; at most half of the window for pools", "same or valid"},
    {"conv2d_transpose",
     "init: fan_in counts the taps that reach an output, kernel / stride * channels",
     "fan_in is filters * kernel", "like PyTorch"},
    {"gru", "the reset gate is applied after the product; gates in the order r, z, n; two biases",
     NULL, "reset_after = True; in the order z, r, n"},
    {"lstm", "gates in the order i, f, g, o; one bias", "two biases, which are added",
     "the same, called i, f, c, o"},
    {"return = \"last\", bidirectional",
     "the last step of each direction; for the reverse direction it is at the first element",
     "h_n; output[:, -1] is the first step of the reverse direction", NULL},
    {"r2, rmse", "for several outputs the mean over outputs (uniform average in scikit-learn)",
     "has neither", "RootMeanSquaredError is one root over all outputs"},
};

void help_conventions(dl_text *text) {
    dl_text_add(text, ".SH CONVENTIONS\nWhere frameworks differ: first the choice of dltrain, "
                      "then those of PyTorch and Keras.\n");
    for (size_t i = 0; i < sizeof conventions / sizeof *conventions; i++) {
        dl_text_add(text, ".TP\n.B ");
        dl_add_roff(text, conventions[i].topic);
        dl_text_add(text, "\n");
        dl_add_roff(text, conventions[i].ours);
        dl_text_add(text, ".\n");
        if (conventions[i].pytorch) {
            dl_text_add(text, "PyTorch: ");
            dl_add_roff(text, conventions[i].pytorch);
            dl_text_add(text, ".\n");
        }
        if (conventions[i].keras) {
            dl_text_add(text, "Keras: ");
            dl_add_roff(text, conventions[i].keras);
            dl_text_add(text, ".\n");
        }
    }
}
