/* SPDX-License-Identifier: MIT */
/* Every loss there is. A new one: its file, a declaration and a line here. */
#include "losses/loss.h"

extern const dl_loss_type dl_loss_softmax_cross_entropy, dl_loss_binary_cross_entropy, dl_loss_mse,
    dl_loss_l1, dl_loss_hinge, dl_loss_huber, dl_loss_squared_hinge, dl_loss_kl_divergence,
    dl_loss_dice, dl_loss_perceptron;

static const dl_kind *const kinds[] = {
    &dl_loss_softmax_cross_entropy.kind,
    &dl_loss_binary_cross_entropy.kind,
    &dl_loss_mse.kind,
    &dl_loss_l1.kind,
    &dl_loss_hinge.kind,
    &dl_loss_huber.kind,
    &dl_loss_squared_hinge.kind,
    &dl_loss_kl_divergence.kind,
    &dl_loss_dice.kind,
    &dl_loss_perceptron.kind,
};

const dl_registry dl_loss_registry = {"loss", "losses", "type", sizeof kinds / sizeof *kinds,
                                      kinds};
