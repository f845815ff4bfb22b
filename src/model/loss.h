/* SPDX-License-Identifier: MIT */
/* The loss of a batch after its forward pass, and its gradient with respect to the outputs. */
#ifndef DL_MODEL_LOSS_H
#define DL_MODEL_LOSS_H

#include "model/model.h"

/* A mean is sum / counted. */
typedef struct {
    double sum;     /* over all positions that the loss does not ignore, times the rows' weights */
    double counted; /* the sum of the weights, which are 1 if the rows have none */
} dl_loss_sum;

typedef struct {
    dl_loss_sum net, head[DL_MAX_HEADS]; /* the heads' are unweighted */
} dl_losses;

/* The loss of the net's output, without the heads. */
dl_losses dl_loss_forward(dl_model *model, const dl_batch *batch);
/* After a training pass: also the losses of the auxiliary heads. Fills the gradients with respect
   to the outputs of net and heads of mean loss + sum over heads of weight * mean loss. */
dl_losses dl_loss_backward(dl_model *model, const dl_batch *batch);

void dl_losses_add(dl_losses *to, const dl_losses *losses);
double dl_loss_mean(const dl_loss_sum *loss); /* NaN if no row counted */

#endif
