/* SPDX-License-Identifier: MIT */
/* dlinspect net --activations: what the layers of a net make of real rows. */
#ifndef DL_INSPECT_ACTIVATION_STATS_H
#define DL_INSPECT_ACTIVATION_STATS_H

#include "base/terminal.h"
#include "model/evaluate.h"

/* Runs some batches of the training part forward, and the first one backward, as in training; says
   a row a layer: mean and standard deviation of its outputs, shares of them that are zero or
   saturated, standard deviation of the loss's gradient with respect to them, and a verdict. The
   running statistics of the net are changed. 0, or -1 and an error of the data. */
int dl_activation_stats_report(dl_terminal *terminal, dl_model *model, dl_loader *train,
                               dl_error *error);

/* The same of about so many rows, but says nothing: adds "layer: verdict" of those that cannot
   learn to `bad`. */
int dl_activation_stats_find_bad(dl_model *model, dl_loader *train, int64_t rows, dl_text *bad,
                                 dl_error *error);
/* Runs the first batch and says a row a layer with parameters: how many, the root mean square of
   weights and gradient, its length, and what that is beside the last layer's. */
int dl_gradient_stats_report(dl_terminal *terminal, dl_model *model, dl_loader *train,
                             dl_error *error);

#endif
