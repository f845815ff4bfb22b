/* SPDX-License-Identifier: MIT */
/* Where frameworks differ: what dltrain does, beside PyTorch (2.x) and Keras (3). */
#include "cmd/conventions.h"

#include "config/option.h"

static const struct {
    const char *topic, *ours, *pytorch, *keras; /* NULL: nothing else */
} conventions[] = {
    {"mse, l1, huber", "means over outputs and rows; huber is d^2 / 2 below delta", NULL, NULL},
    {"hinge", "sum over the wrong classes (Weston and Watkins)",
     "MultiMarginLoss divides it by the number of classes",
     "CategoricalHinge has only the best wrong class"},
    {"l2", "l2 / 2 * w^2, so that its gradient is l2 * w",
     "weight_decay is the same, but of all parameters", "l2(c) is c * w^2: c is half of our l2"},
    {"penalties, weight_decay",
     "of weights alone: biases, scales and shifts of norms and slopes of prelu are spared",
     "of all parameters of a group", "of the layers that name a regularizer"},
    {"a step",
     "clip_value, clip_norm, gradient_noise, gradients of the penalties, the optimizer, "
     "clip_weights, max_norm: clipping does not see the penalties",
     "the same with weight_decay; penalties that are added to the loss are clipped",
     "regularizers are part of the loss and are clipped"},
    {"sgd, nesterov", "v = m v + g, w -= rate (g + m v): w is the point that looks ahead", NULL,
     "the rate is within v: v = m v - rate g"},
    {"rmsprop", "g / (sqrt(s) + epsilon), alpha 0.99, epsilon 1e-8", NULL,
     "g / sqrt(s + epsilon), rho 0.9, epsilon 1e-7"},
    {"adagrad", "the sum begins at 0; g / (sqrt(s) + epsilon)", NULL,
     "it begins at 0.1; g / sqrt(s + epsilon)"},
    {"rprop", "where the gradient changes its sign, the weight stays for one step", NULL,
     "has none"},
    {"epsilon of adam, nadam, adagrad, rmsprop, adadelta", "at least 1e-30", "0 is allowed", NULL},
    {"warm-up", "step n of w has n / w of the rate, the last one all of it",
     "LinearLR begins with a third", "a schedule's own, from 0"},
    {"plateau", "a patience of n reduces the rate after n epochs without improvement",
     "after n + 1", NULL},
    {"history.csv", "learning_rate is that of the epoch's first step", NULL, NULL},
    {"average = ema", "decay min(decay, t / (9 + t)) in step t", "AveragedModel has no warm-up",
     "use_ema has no warm-up"},
    {"normalize", "mean_std divides by the standard deviation over n, not n - 1",
     "std() divides by n - 1", "Normalization over n"},
    {"batch_norm",
     "normalizes by the batch's variance over n, and keeps the one over n - 1 (running variance); "
     "momentum 0.1 is the new batch's weight; batches of one value are left out of both averages",
     "the same; a batch of one value is an error",
     "keeps the one over n; momentum 0.99 is the old average's weight; epsilon 1e-3"},
    {"share", "layers that share weights have running statistics of their own",
     "a module that is called twice has one set", "as PyTorch"},
    {"padding = \"same\"", "the odd pixel is below and to the right", NULL, NULL},
    {"padding", "must be less than the window's size",
     "of convolutions any; of pools at most half of the window", "same or valid"},
    {"conv2d_transpose",
     "init: fan_in is the taps that reach an output, kernel / stride * channels",
     "fan_in is filters * kernel", "as PyTorch"},
    {"gru", "the reset gate acts behind the product; gates in the order r, z, n; two biases", NULL,
     "reset_after = True; in the order z, r, n"},
    {"lstm", "gates in the order i, f, g, o; one bias", "two biases, which are added",
     "the same, called i, f, c, o"},
    {"return = \"last\", bidirectional",
     "the last step of each direction: of the reverse one that of the first element",
     "h_n; output[:, -1] has the reverse direction's first step", NULL},
    {"r2, rmse", "of several outputs the mean over the outputs (uniform average, scikit-learn)",
     "has none", "RootMeanSquaredError has one root for all outputs"},
};

void help_conventions(dl_text *text) {
    dl_text_add(text, ".SH CONVENTIONS\nWhere frameworks differ, dltrain's choice comes first, "
                      "then what PyTorch and Keras do otherwise.\n");
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
