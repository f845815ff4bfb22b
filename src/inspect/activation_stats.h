/* SPDX-License-Identifier: MIT */
/* dlinspect net --activations, --gradients: statistics per layer on training rows. */
#ifndef DL_INSPECT_ACTIVATION_STATS_H
#define DL_INSPECT_ACTIVATION_STATS_H

#include "base/terminal.h"
#include "model/evaluate.h"

/* Runs some batches of the training part forward, and the first one backward, in training mode.
   Prints one row per layer: mean and standard deviation of its outputs, fractions that are zero or
   saturated, root mean square of their gradients, and a verdict. Changes the net's running
   statistics. 0, or -1 and an error of the data. */
int dl_activation_stats_report(dl_terminal *terminal, dl_model *model, dl_loader *train,
                               dl_error *error);

/* The same on about `rows` rows, without printing: adds "layer: verdict" of the layers that cannot
   learn to `bad`. */
int dl_activation_stats_find_bad(dl_model *model, dl_loader *train, int64_t rows, dl_text *bad,
                                 dl_error *error);
/* Runs the first batch and prints one row per layer with parameters: their number, the root mean
   square of weights and gradient, the gradient norm, and its ratio to the last layer's. */
int dl_gradient_stats_report(dl_terminal *terminal, dl_model *model, dl_loader *train,
                             dl_error *error);

#endif
